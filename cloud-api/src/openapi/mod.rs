//! Makes the OpenAPI document from the handlers' descriptions.
//!
//! A handler states its method, path, parameters, body and statuses in `#[utoipa::path(..)]`; its doc comment is the
//! summary. Bodies are the types of [`blink_proto::http`] that the handler really reads and returns. What holds for
//! every operation is added here: the refusals of `refusals`, malformed bodies, a missing access token (unless the
//! operation says `security(())`), and failures of the server. A response of 400 and above without a body is the error
//! envelope.

mod refusals;

use actix_web::http::Method;
use serde_json::{Map, Value, json};
// The code that `utoipa::path` generates implements these traits, and nothing else tells an operation's schemas and tags.
// They are outside semver, so the workspace pins utoipa.
use utoipa::__dev::{SchemaReferences, Tags};
use utoipa::{
    IntoParams, PartialSchema, Path, ToSchema,
    openapi::{HttpMethod, ObjectBuilder, RefOr, Schema, Type},
};

use crate::domain::interval::Grouping;

/// The statuses with which reading a JSON body can fail.
const OF_A_BODY: [u16; 5] = [400, 408, 413, 415, 422];

/// The header by which a web page asks for its refresh token as a cookie.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub(crate) struct PageClient {
    /// web: a page. Its refresh token is a cookie, and in no body.
    #[param(rename = "X-WAW-Client", required = false, example = "web")]
    #[expect(dead_code, reason = "it describes a header, which the handlers look up")]
    client: String,
}

// Written by hand, because the domain knows no framework.
impl PartialSchema for Grouping {
    fn schema() -> RefOr<Schema> {
        let names = [Self::Minute, Self::Hour, Self::Day, Self::Week].map(Self::as_str);
        ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names)).into()
    }
}

impl ToSchema for Grouping {}

#[derive(Clone)]
pub struct Described {
    /// The path as a pattern.
    pub path: String,
    pub method: Method,
    operation: Value,
    schemas: Vec<(String, RefOr<Schema>)>,
}

impl Described {
    #[must_use]
    pub fn of<P: Path + SchemaReferences + for<'t> Tags<'t>>() -> Self {
        let mut schemas = Vec::new();
        P::schemas(&mut schemas);
        let method = match P::methods().first() {
            Some(HttpMethod::Post) => Method::POST,
            Some(HttpMethod::Put) => Method::PUT,
            Some(HttpMethod::Patch) => Method::PATCH,
            Some(HttpMethod::Delete) => Method::DELETE,
            _ => Method::GET,
        };
        let mut operation = json!(P::operation());
        operation["tags"] = json!(P::tags());
        Self { path: P::path(), method, operation, schemas }
    }

    /// The same operation under a path of the original plan.
    #[must_use]
    pub fn at(&self, path: &str) -> Self {
        let mut operation = self.operation.clone();
        operation["tags"] = json!(["the original plan's addresses"]);
        operation["summary"] = json!(format!("As {}", self.path));
        Self { path: path.to_owned(), operation, ..self.clone() }
    }

    fn id(&self) -> String {
        let words = self.path.split(['/', '{', '}', '.', '_', '-']).filter(|word| !word.is_empty());
        std::iter::once(self.method.as_str().to_lowercase().as_str()).chain(words).collect::<Vec<_>>().join("_")
    }

    /// The operation, completed with what holds for every operation.
    fn whole(&self) -> Value {
        let mut operation = self.operation.clone();
        operation["operationId"] = json!(self.id());
        if let Some(summary) = operation["summary"].as_str() {
            operation["summary"] = json!(summary.trim_end_matches('.'));
        }
        let open = operation.get("security").is_some();
        if !open {
            operation["security"] = json!([{"bearer": []}]);
        } else if operation["security"] == json!([{}]) {
            operation["security"] = json!([]);
        }
        let of_a_body: &[u16] = if operation.get("requestBody").is_some() { &OF_A_BODY } else { &[] };
        let of_a_token: &[u16] = if open { &[] } else { &[401, 403] };
        let mut responses = operation["responses"].as_object().cloned().unwrap_or_default();
        for status in of_a_body.iter().chain(of_a_token).chain(&[500, 503]) {
            responses.entry(status.to_string()).or_insert_with(|| json!({}));
        }
        for (status, response) in &mut responses {
            if response.get("content").is_none() && status.as_str() >= "400" {
                *response = json!({"$ref": format!("#/components/responses/{status}")});
            } else if response["description"].as_str().is_none_or(str::is_empty) {
                response["description"] = json!("Done");
            }
        }
        operation["responses"] = Value::Object(responses);
        let bodies = operation.pointer_mut("/requestBody/content").and_then(Value::as_object_mut);
        for schema in bodies.into_iter().flatten().filter_map(|(_, body)| body.get_mut("schema")) {
            *schema = present(schema);
        }
        operation
    }
}

/// The schema of an optional body without its null alternative: an absent body is not `null`.
fn present(schema: &Value) -> Value {
    let alternatives = schema["oneOf"].as_array();
    let body = alternatives.and_then(|kinds| kinds.iter().find(|kind| **kind != json!({"type": "null"})));
    body.unwrap_or(schema).clone()
}

#[must_use]
pub(crate) fn document(operations: impl Iterator<Item = Described>) -> Value {
    let (mut paths, mut schemas) = (Map::new(), Map::new());
    let envelope = blink_proto::http::ErrorEnvelope::name().into_owned();
    let mut all = vec![(envelope, blink_proto::http::ErrorEnvelope::schema())];
    blink_proto::http::ErrorEnvelope::schemas(&mut all);
    for described in operations {
        let place = paths.entry(described.path.clone()).or_insert_with(|| json!({}));
        place[described.method.as_str().to_lowercase()] = described.whole();
        all.extend(described.schemas);
    }
    schemas.extend(all.into_iter().map(|(name, schema)| (name, json!(schema))));
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Wellness at Work: cloud-api",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Receives minutes from every machine of an organisation and shows each person their own history.",
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                    "description": "The access token of register, login or refresh; it lives 15 minutes."},
                "cookie": {"type": "apiKey", "in": "cookie", "name": "__Secure-waw_refresh",
                    "description": "A page's refresh token; waw_refresh without HTTPS. It counts only with X-WAW-Client: web."},
                "metrics": {"type": "http", "scheme": "bearer", "description": "CLOUD_API_METRICS_TOKEN"},
            },
            "schemas": schemas,
            "responses": refusals::responses(),
        },
        "paths": paths,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::routes::docs::description;

    #[test]
    fn every_reference_leads_somewhere() {
        let text = description().to_string();
        for reference in text.split("\"$ref\":\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(description().pointer(reference).is_some(), "{reference}");
        }
    }

    #[test]
    fn every_operation_has_a_name_of_its_own() {
        let paths = description()["paths"].as_object().unwrap();
        let operations: Vec<_> = paths.values().flat_map(|path| path.as_object().unwrap().values()).collect();
        let names: BTreeSet<_> = operations.iter().map(|operation| operation["operationId"].to_string()).collect();
        assert_eq!(names.len(), operations.len());
    }

    #[test]
    fn the_document_is_what_it_was() {
        insta::assert_json_snapshot!(description(), {".info.version" => "[version]"});
    }
}
