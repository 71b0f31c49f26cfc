//! The error responses that operations share, by status.

use serde_json::{Map, Value, json};

pub(super) fn responses() -> Value {
    let meanings = [
        (400, "The body is not JSON, or broke off"),
        (401, "Not signed in, or refused alike for unknown and wrong"),
        (403, "Not permitted: another person's, another role's, or consent is missing"),
        (404, "There is nothing at this address, or it is another person's"),
        (408, "The request took too long to arrive"),
        (409, "It conflicts with what is there"),
        (413, "Too large, before or after decompression; nothing was stored"),
        (415, "Not application/json, or an encoding other than gzip"),
        (422, "Fields are missing or wrong; each is named"),
        (429, "Too many requests; Retry-After says how long to wait"),
        (500, "The server failed; the request id finds the reason in its log"),
        (502, "A service behind this server does not answer as it should"),
        (503, "The server cannot reach its database, or is busy with too much at once"),
    ];
    let mut responses = Map::new();
    for (status, meaning) in meanings {
        let mut response = json!({"description": meaning, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorEnvelope"}}}});
        let header = match status {
            401 => Some((
                "WWW-Authenticate",
                "Bearer, where an access token is what is missing",
                false,
                json!({"type": "string"}),
            )),
            429 | 503 => Some(("Retry-After", "seconds to wait", true, json!({"type": "integer", "minimum": 1}))),
            _ => None,
        };
        if let Some((name, says, required, schema)) = header {
            response["headers"] = json!({name: {"description": says, "required": required, "schema": schema}});
        }
        responses.insert(status.to_string(), response);
    }
    Value::Object(responses)
}
