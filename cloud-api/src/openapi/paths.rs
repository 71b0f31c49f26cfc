//! Every address and method of the API. Pages and their assets are not part of it.

use serde_json::{Map, Value, json};

/// One operation, in the words of this table.
struct Op {
    method: &'static str,
    path: &'static str,
    tag: &'static str,
    summary: &'static str,
    /// The name of the request's schema.
    body: Option<&'static str>,
    /// Statuses of success, with the schema of the answer.
    ok: &'static [(u16, &'static str)],
    /// Statuses of refusal.
    errors: &'static [u16],
    /// Whether it needs an access token.
    signed_in: bool,
    /// Query parameters by name.
    query: &'static [&'static str],
}

/// What reading a JSON body can end in.
const BODY: &[u16] = &[400, 408, 413, 415, 422];

macro_rules! op {
    ($method:ident $path:literal $tag:literal $summary:literal
        $(body $body:literal)? ok [$($status:literal $schema:literal),*] errors [$($error:literal),*]
        $(query [$($query:literal),*])? $(; $open:ident)?) => {
        Op {
            method: stringify!($method), path: $path, tag: $tag, summary: $summary,
            body: [$($body,)? ""].first().copied().filter(|name| !name.is_empty()),
            ok: &[$(($status, $schema)),*], errors: &[$($error),*],
            signed_in: [$(stringify!($open),)? ""][0] != "open",
            query: &[$($($query),*)?],
        }
    };
}

fn table() -> Vec<Op> {
    vec![
        op!(get "/health" "operation" "The process lives" ok [200 "Health"] errors [] ; open),
        op!(get "/healthz" "operation" "The process can work: its database answers" ok [200 "Ready"] errors [503] ; open),
        op!(get "/metrics" "operation" "Figures for Prometheus; off loopback with the metrics token" ok [200 "Text"] errors [401, 404] ; open),
        op!(get "/api/consents" "consent" "The texts a person can agree to" ok [200 "ConsentTexts"] errors [] ; open),
        op!(post "/api/auth/register" "sign-in" "Make an account; consent to tracking is part of it" body "RegisterRequest" ok [201 "TokenResponse"] errors [403, 409, 429] ; open),
        op!(post "/api/auth/login" "sign-in" "Sign in; unknown and wrong are refused alike" body "LoginRequest" ok [200 "TokenResponse"] errors [401, 429] ; open),
        op!(post "/api/auth/refresh" "sign-in" "Exchange a refresh token, of the body or a page's cookie; a used one ends the session" body "RefreshRequest" ok [200 "TokenResponse"] errors [401, 429] ; open),
        op!(post "/api/auth/logout" "sign-in" "End this session; its tokens are dead at once" ok [204 ""] errors []),
        op!(post "/api/auth/reset" "sign-in" "Set a new password by a one-time link" body "ResetRequest" ok [204 ""] errors [401, 429] ; open),
        op!(get "/api/auth/google" "sign-in" "Go to the sign-in provider" ok [303 ""] errors [404, 429, 502] query ["next"] ; open),
        op!(get "/api/auth/google/callback" "sign-in" "Come back from the provider; a browser goes on to a page" ok [200 "TokenResponse", 303 ""] errors [401, 403, 404, 409, 502] query ["state", "code"] ; open),
        op!(get "/auth/google/callback" "the original plan's addresses" "As /api/auth/google/callback" ok [200 "TokenResponse", 303 ""] errors [401, 403, 404, 409, 502] query ["state", "code"] ; open),
        op!(post "/api/auth/device" "sign-in" "Start signing a device in from a browser (RFC 8628)" body "DeviceRequest" ok [200 "DeviceCodes"] errors [429] ; open),
        op!(post "/api/auth/device/token" "sign-in" "Ask for a device's tokens; refused in RFC 8628's own form" body "DeviceTokenRequest" ok [200 "TokenResponse"] errors [429] ; open),
        op!(post "/api/auth/device/approve" "sign-in" "Look at a device that waits, and confirm or refuse it" body "DeviceApproval" ok [200 "DeviceDecision"] errors [404, 429]),
        op!(post "/api/blink" "minutes" "Send one minute" body "MinuteOfDevice" ok [201 "SyncResponse", 200 "SyncResponse"] errors [403, 429]),
        op!(post "/api/blink/sync" "minutes" "Send up to 10,000 minutes of one device; gzip is welcome" body "SyncRequest" ok [200 "SyncResponse"] errors [403, 429]),
        op!(get "/api/user/me" "me" "Who I am" ok [200 "User"] errors []),
        op!(patch "/api/user/me" "me" "Change name, time zone, address or password" body "UserChange" ok [200 "User"] errors [403, 409, 429]),
        op!(delete "/api/user/me" "me" "Erase everything, with a receipt" body "Erase" ok [200 "Receipt"] errors [403, 429]),
        op!(get "/api/erasures/{id}" "me" "The receipt of an erasure, as it stands now" ok [200 "Receipt"] errors [404] ; open),
        op!(get "/api/user/me/consents" "consent" "My consents, oldest first" ok [200 "Consents"] errors []),
        op!(put "/api/user/me/consents" "consent" "Give or withdraw a consent" body "ConsentChange" ok [200 "Consents"] errors []),
        op!(get "/api/user/me/sessions" "me" "Where I am signed in" ok [200 "Sessions"] errors []),
        op!(delete "/api/user/me/sessions/{id}" "me" "End a session" ok [204 ""] errors [404]),
        op!(get "/api/user/me/devices" "me" "Machines my minutes came from" ok [200 "Devices"] errors []),
        op!(delete "/api/user/me/devices/{id}" "me" "Sign a machine out; its minutes stay" ok [204 ""] errors [404]),
        op!(get "/api/user/me/export" "me" "Everything held about me, one document" ok [200 "Export"] errors [429]),
        op!(get "/api/user/me/insights" "minutes" "What my figures say" ok [200 "Insights"] errors []),
        op!(post "/api/user/me/ask" "minutes" "Ask about my figures; off unless the operator chose a model" body "Question" ok [200 "AnswerToQuestion"] errors [404, 429, 502]),
        op!(get "/api/user/{id}/blinks" "minutes" "My history by minute, hour, day or week; any other id is 403" ok [200 "History"] errors [403, 422] query ["from", "to", "group", "limit", "cursor"]),
        op!(get "/api/team" "team" "Teams I manage, am in, or am invited to" ok [200 "Teams"] errors []),
        op!(post "/api/team" "team" "Make a team" body "TeamRequest" ok [201 "Team"] errors [403]),
        op!(put "/api/team/{id}/members/{user_id}" "team" "Invite a person; or, as that person, accept" body "TeamAcceptance" ok [200 "TeamMembership", 201 "TeamMembership"] errors [403, 404, 409]),
        op!(delete "/api/team/{id}/members/{user_id}" "team" "Take a person out; or, as that person, leave" ok [204 ""] errors [403, 404]),
        op!(get "/api/team/{id}/blinks" "team" "One figure for each closed week, or none" ok [200 "TeamWeeks"] errors [403, 404]),
        op!(get "/api/admin/users" "administration" "People" ok [200 "Users"] errors [403, 422] query ["limit", "user_cursor"]),
        op!(patch "/api/admin/users/{id}" "administration" "Give a person a role" body "RoleChange" ok [200 "User"] errors [403, 404, 409]),
        op!(get "/api/openapi.json" "operation" "This document" ok [200 "Any"] errors [] ; open),
        op!(post "/auth/register" "the original plan's addresses" "As /api/auth/register" body "RegisterRequest" ok [201 "TokenResponse"] errors [403, 409, 429] ; open),
        op!(post "/auth/login" "the original plan's addresses" "As /api/auth/login" body "LoginRequest" ok [200 "TokenResponse"] errors [401, 429] ; open),
        op!(post "/auth/logout" "the original plan's addresses" "As /api/auth/logout" ok [204 ""] errors []),
        op!(post "/blink/track" "the original plan's addresses" "As /api/blink" body "MinuteOfDevice" ok [201 "SyncResponse", 200 "SyncResponse"] errors [403, 429]),
        op!(post "/blink/tracking" "the original plan's addresses" "As /api/blink" body "MinuteOfDevice" ok [201 "SyncResponse", 200 "SyncResponse"] errors [403, 429]),
        op!(post "/blink/sync" "the original plan's addresses" "As /api/blink/sync" body "SyncRequest" ok [200 "SyncResponse"] errors [403, 429]),
        op!(get "/user/profile" "the original plan's addresses" "As /api/user/me" ok [200 "User"] errors []),
    ]
}

/// The `paths` object.
pub(super) fn all() -> Value {
    let mut paths = Map::new();
    for op in table() {
        let place = paths.entry(op.path).or_insert_with(|| json!({}));
        if let Some(methods) = place.as_object_mut() {
            methods.insert(op.method.to_owned(), operation(&op));
        }
    }
    Value::Object(paths)
}

fn operation(op: &Op) -> Value {
    let mut responses = Map::new();
    for (status, schema) in op.ok {
        responses.insert(status.to_string(), success(schema));
    }
    let body_errors = if op.body.is_some() { BODY } else { &[] };
    // Whoever is signed in may have to consent first, and nobody is spared a failing server.
    let token_errors: &[u16] = if op.signed_in { &[401, 403] } else { &[] };
    for status in op.errors.iter().chain(body_errors).chain(token_errors).chain(&[500, 503]) {
        responses.insert(status.to_string(), json!({"$ref": format!("#/components/responses/{status}")}));
    }
    if op.path == "/api/auth/device/token" {
        responses.insert("400".to_owned(), success("OAuthError"));
    }
    let mut operation = json!({
        "tags": [op.tag], "summary": op.summary, "operationId": id(op), "responses": responses,
        "security": if op.signed_in { json!([{"bearer": []}]) } else { json!([]) },
    });
    let mut parameters: Vec<Value> = op.query.iter().map(|name| query_parameter(name)).collect();
    if for_pages(op.path) {
        parameters.push(json!({"$ref": "#/components/parameters/client"}));
    }
    if op.path.contains("{id}") {
        parameters.push(json!({"name": "id", "in": "path", "required": true, "schema": {"type": "string"}}));
    }
    if op.path.contains("{user_id}") {
        let says = "a person's id, or me; inviting takes an e-mail address too";
        parameters.push(json!({"name": "user_id", "in": "path", "required": true, "description": says, "schema": {"type": "string"}}));
    }
    if !parameters.is_empty() {
        operation["parameters"] = Value::Array(parameters);
    }
    if op.body == Some("RefreshRequest") {
        operation["security"] = json!([{}, {"cookie": []}]);
    }
    if let Some(schema) = op.body {
        operation["requestBody"] = json!({
            "required": !matches!(schema, "Erase" | "TeamAcceptance" | "DeviceRequest" | "RefreshRequest"),
            "content": {"application/json": {"schema": {"$ref": format!("#/components/schemas/{schema}")}}},
        });
    }
    operation
}

/// Where a page gives its refresh token, or gets one.
fn for_pages(path: &str) -> bool {
    let path = path.strip_prefix("/api").unwrap_or(path);
    matches!(path, "/auth/register" | "/auth/login" | "/auth/refresh" | "/auth/logout")
}

/// The `parameters` object.
pub(super) fn shared_parameters() -> Value {
    json!({"client": {
        "name": "X-WAW-Client", "in": "header", "required": false, "schema": {"type": "string", "examples": ["web"]},
        "description": "web: a page. Its refresh token is a cookie, and in no body",
    }})
}

fn id(op: &Op) -> String {
    let words = op.path.split(['/', '{', '}', '.', '_', '-']).filter(|word| !word.is_empty());
    std::iter::once(op.method).chain(words).collect::<Vec<_>>().join("_")
}

fn success(schema: &str) -> Value {
    match schema {
        "" => json!({"description": "Done"}),
        "Text" => json!({"description": "Text", "content": {"text/plain": {"schema": {"type": "string"}}}}),
        name => json!({
            "description": name,
            "content": {"application/json": {"schema": {"$ref": format!("#/components/schemas/{name}")}}},
        }),
    }
}

fn query_parameter(name: &str) -> Value {
    let (name, schema, says) = match name {
        "from" => ("from", json!({"type": "string", "format": "date-time"}), "inclusive"),
        "to" => ("to", json!({"type": "string", "format": "date-time"}), "exclusive"),
        "group" => (
            "group",
            json!({"enum": ["minute", "hour", "day", "week"], "default": "day"}),
            "days and weeks of my time zone",
        ),
        "limit" => {
            ("limit", json!({"type": "integer", "minimum": 1, "maximum": 1_000, "default": 100}), "items in a page")
        }
        "user_cursor" => ("cursor", json!({"type": "string", "format": "uuid"}), "next_cursor of the page before"),
        "next" => (name, json!({"type": "string"}), "a page of this server to come back to, as /device"),
        "state" | "code" => (name, json!({"type": "string"}), "as the provider sent it"),
        other => (other, json!({"type": "string"}), "next_cursor of the page before"),
    };
    json!({"name": name, "in": "query", "required": false, "description": says, "schema": schema})
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::routes;

    #[test]
    fn the_description_is_the_router() {
        let described: BTreeSet<(String, String)> =
            table().iter().map(|op| (op.path.to_owned(), op.method.to_uppercase())).collect();
        let answered: BTreeSet<(String, String)> = routes::table()
            .iter()
            .filter(|entry| entry.part != crate::config::Part::Web || entry.path == "/api/openapi.json")
            .flat_map(|entry| entry.methods.iter().map(|(method, _)| (entry.path.to_owned(), method.to_string())))
            .collect();
        assert_eq!(described, answered);
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = super::super::document();
        let text = document.to_string();
        for reference in text.split("\"$ref\":\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(document.pointer(reference).is_some(), "{reference}");
        }
        let ids: Vec<String> = table().iter().map(id).collect();
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
    }

    #[test]
    fn the_document_is_what_it_was() {
        insta::assert_json_snapshot!(super::super::document(), {".info.version" => "[version]"});
    }
}
