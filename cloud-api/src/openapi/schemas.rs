//! The bodies of requests and answers, as JSON Schema.
#![expect(clippy::needless_pass_by_value, reason = "schemas are put together from the inside out")]

use serde_json::{Map, Value, json};

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

fn object(required: &[&str], properties: Value) -> Value {
    json!({"type": "object", "required": required, "properties": properties})
}

fn described(mut schema: Value, description: &str) -> Value {
    schema["description"] = json!(description);
    schema
}

fn items_of(item: Value) -> Value {
    object(&["items"], json!({"items": {"type": "array", "items": item}}))
}

fn page_of(item: Value) -> Value {
    let next = json!({"type": ["string", "null"], "description": "cursor of the next page; null on the last"});
    object(&["items", "next_cursor"], json!({"items": {"type": "array", "items": item}, "next_cursor": next}))
}

/// The `schemas` object.
pub(super) fn all() -> Value {
    let time = json!({"type": "string", "format": "date-time"});
    let id = json!({"type": "string", "format": "uuid"});
    let count = json!({"type": "integer", "minimum": 0});
    let text = json!({"type": "string"});
    let yes_or_no = json!({"type": "boolean"});
    let email = json!({"type": "string", "maxLength": 254});
    let new_email = json!({"type": "string", "format": "email", "maxLength": 254});
    let password = json!({"type": "string", "minLength": 12, "maxLength": 128});
    // On one line; where a name must be there, more than spaces.
    let name = json!({"type": ["string", "null"], "maxLength": 100, "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]*$"});
    let some_name = json!({"type": "string", "minLength": 1, "maxLength": 100, "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]*[^\\u0000-\\u0020\\u007f-\\u00a0\\s][^\\u0000-\\u001f\\u007f-\\u009f]*$"});
    let zone = json!({"type": "string", "examples": ["Europe/Berlin"], "description": "IANA time zone"});
    let new_zone = json!({"type": ["string", "null"], "format": "time-zone", "examples": ["Europe/Berlin"], "description": "IANA time zone"});
    let role = json!({"enum": ["member", "kiosk", "manager", "admin"]});
    let kind = json!({"enum": ["tracking", "team", "biometric"]});
    let quality = json!({"enum": ["good", "insufficient"]});
    let number = json!({"type": ["number", "null"]});
    let share = json!({"type": ["number", "null"], "minimum": 0, "maximum": 1});
    let consent_text = object(&["version", "text"], json!({"version": text, "text": text}));
    let minute = json!({
        "id": id, "user_id": {"type": ["string", "null"], "format": "uuid"},
        "blink_count": {"type": "integer", "minimum": 0, "maximum": 600},
        "from_timestamp": time, "to_timestamp": time, "device_id": id,
        "observed_ms": {"type": "integer", "minimum": 0, "maximum": 60_000},
        "mean_fps": {"type": "number", "minimum": 0, "maximum": 1_000}, "quality": quality,
        "mean_blink_ms": {"type": ["number", "null"], "minimum": 0, "maximum": 60_000}, "incomplete_share": share, "perclos": share,
    });
    let needed = ["id", "blink_count", "from_timestamp", "to_timestamp", "observed_ms", "mean_fps", "quality"];
    let with_device: Vec<&str> = needed.iter().copied().chain(["device_id"]).collect();
    let whole: Vec<&str> =
        with_device.iter().copied().chain(["user_id", "mean_blink_ms", "incomplete_share", "perclos"]).collect();
    let session = json!({
        "id": id, "user_agent": {"type": ["string", "null"]}, "signed_in_at": time, "last_used_at": time,
        "expires_at": time, "current": yes_or_no,
    });
    let device = json!({"device_id": id, "first_seen_at": time, "last_seen_at": time, "session_id": {"type": ["string", "null"], "format": "uuid"}});
    let team = object(
        &["id", "name", "timezone", "created_at", "manager"],
        json!({
            "id": id, "name": text, "timezone": zone, "created_at": time, "manager": {"type": ["object", "null"]},
            "accepted_at": {"type": ["string", "null"], "format": "date-time"},
            "members": {"type": "array", "items": object(&["user_id", "email"], json!({
                "user_id": id, "email": email, "name": name, "invited_at": time, "accepted_at": {"type": ["string", "null"]},
            }))},
        }),
    );
    let consent = object(
        &["kind", "granted", "version", "at"],
        json!({"kind": kind, "granted": yes_or_no, "version": text, "at": time}),
    );
    json!({
        "Any": {"type": "object"},
        "Error": object(&["error"], json!({"error": object(&["code", "message", "request_id"], json!({
            "code": text, "message": text, "request_id": text,
            "fields": {"type": "object", "additionalProperties": {"type": "string"}},
        }))})),
        "Health": object(&["status", "uptime_s", "version"], json!({"status": {"const": "ok"}, "uptime_s": count, "version": text})),
        "Ready": object(&["status", "database", "attendance", "exports", "versions", "uptime_s", "version"], json!({
            "status": {"const": "ready"}, "database": {"const": "ok"}, "attendance": {"enum": ["ok", "unavailable"]},
            "exports": object(&["readable"], json!({"readable": {"type": ["boolean", "null"], "description": "null while there is no exports folder"}})),
            "versions": object(&["cloud_api", "schema"], json!({"cloud_api": text, "schema": text})),
            "uptime_s": count, "version": text,
        })),
        "ConsentTexts": object(&["tracking", "team", "biometric"], json!({"tracking": consent_text, "team": consent_text, "biometric": consent_text})),
        "User": object(&["id", "email", "name", "timezone", "role", "created_at"], json!({
            "id": id, "email": email, "name": name, "timezone": zone, "role": role, "created_at": time,
        })),
        "Users": page_of(reference("User")),
        "RegisterRequest": object(&["email", "password", "consent"], json!({
            "email": new_email, "password": password, "name": name, "timezone": new_zone,
            "consent": object(&["tracking", "version"], json!({"tracking": {"const": true}, "version": {"const": "1"}})),
        })),
        "LoginRequest": object(&["email", "password"], json!({"email": text, "password": text})),
        "RefreshRequest": described(object(&["refresh_token"], json!({"refresh_token": text})), "absent for a page, whose token is a cookie"),
        "ResetRequest": object(&["token", "password"], json!({"token": text, "password": password})),
        "TokenResponse": object(&["user", "access_token", "token_type", "expires_in"], json!({
            "user": reference("User"), "access_token": text,
            "refresh_token": described(text.clone(), "absent for a page, which gets it as a cookie"), "token_type": {"const": "Bearer"}, "expires_in": count,
        })),
        "Minute": object(&needed, minute.clone()),
        "MinuteOfDevice": object(&with_device, minute.clone()),
        "SyncRequest": object(&["device_id", "buckets"], json!({
            "device_id": id,
            "buckets": {"type": "array", "items": true, "description": "at most 10,000 minutes; each that is none is rejected by its index"},
        })),
        "SyncResponse": object(&["accepted", "duplicates", "rejected"], json!({
            "accepted": count, "duplicates": count,
            "rejected": {"type": "array", "items": object(&["index", "code", "detail"], json!({
                "index": count, "detail": text,
                "code": {"enum": ["invalid", "bad_interval", "unaligned", "implausible", "in_future", "too_old", "wrong_user"]},
            }))},
        })),
        "History": page_of(object(&["from_timestamp", "to_timestamp", "blink_count", "observed_ms", "blinks_per_minute", "coverage", "quality"], json!({
            "from_timestamp": time, "to_timestamp": time, "blink_count": count, "observed_ms": count,
            "blinks_per_minute": {"type": ["number", "null"]}, "coverage": {"type": "number", "minimum": 0, "maximum": 1}, "quality": quality,
        }))),
        "UserChange": object(&[], json!({
            "name": name, "timezone": new_zone, "email": {"type": ["string", "null"], "format": "email", "maxLength": 254},
            "password": {"type": ["string", "null"], "minLength": 12, "maxLength": 128},
            "current_password": {"type": ["string", "null"], "description": "needed with email or password by whoever has one"},
        })),
        "Erase": object(&[], json!({"password": {"type": ["string", "null"]}})),
        "Receipt": object(&["receipt_id", "erased_at", "stores"], json!({
            "receipt_id": id, "erased_at": time,
            "user_id": {"type": "string", "format": "uuid", "description": "in the answer to the erasure alone"},
            "stores": {"type": "array", "items": object(&["store", "status", "removed"], json!({
                "store": {"enum": ["database", "archive"]}, "status": {"enum": ["done", "pending"]},
                "removed": {"type": "object", "additionalProperties": count},
                "objects_pending": {"type": "integer", "minimum": 1, "description": "objects still to go, while pending"},
            }))},
        })),
        "Consents": items_of(consent.clone()),
        "ConsentChange": object(&["kind", "granted"], json!({
            "kind": kind, "granted": yes_or_no,
            "version": {"type": ["string", "null"], "maxLength": 50, "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]*$", "description": "of the text at /api/consents; needed to grant"},
        })),
        "Sessions": items_of(object(&["id", "user_agent", "signed_in_at", "last_used_at", "expires_at", "current"], session.clone())),
        "Devices": items_of(object(&["device_id", "first_seen_at", "last_seen_at", "session_id"], device.clone())),
        "Export": object(&["exported_at", "has_password", "user", "consents", "sessions", "devices", "teams", "identities", "archive", "minutes"], json!({
            "exported_at": time, "has_password": yes_or_no, "user": reference("User"),
            "consents": {"type": "array", "items": consent}, "sessions": {"type": "array", "items": object(&["id"], session)},
            "devices": {"type": "array", "items": object(&["device_id"], device)},
            "teams": {"type": "array", "items": {"type": "object"}}, "identities": {"type": "array", "items": {"type": "object"}},
            "archive": object(&["on", "objects", "bytes", "minutes", "oldest_minute", "batches_waiting"], json!({
                "on": yes_or_no, "objects": count, "bytes": count, "minutes": count,
                "oldest_minute": {"type": ["string", "null"], "format": "date-time"}, "batches_waiting": count,
            })),
            "minutes": {"type": "array", "items": object(&whole, minute)},
        })),
        "Insights": object(&["blinks_per_minute", "baseline_blinks_per_minute", "change_percent", "direction", "observed_ms", "coverage", "best_hour", "worst_hour", "hours", "text"], json!({
            "blinks_per_minute": number, "baseline_blinks_per_minute": number, "change_percent": number,
            "direction": {"enum": ["up", "down", "steady", "unknown"]}, "observed_ms": count, "coverage": share,
            "best_hour": {"type": ["object", "null"]}, "worst_hour": {"type": ["object", "null"]},
            "hours": {"type": "array", "items": object(&["hour", "blinks_per_minute", "observed_ms"], json!({
                "hour": {"type": "integer", "minimum": 0, "maximum": 23}, "blinks_per_minute": {"type": "number"}, "observed_ms": count,
            }))},
            "text": {"type": "array", "items": text},
        })),
        "Question": object(&["question"], json!({"question": {"type": "string", "minLength": 1, "maxLength": 1_000, "pattern": "\\S"}})),
        "AnswerToQuestion": object(&["answer", "model"], json!({"answer": text, "model": text})),
        "DeviceRequest": object(&[], json!({"device_name": name})),
        "DeviceCodes": object(&["device_code", "user_code", "verification_uri", "verification_uri_complete", "expires_in", "interval"], json!({
            "device_code": text, "user_code": text, "verification_uri": text, "verification_uri_complete": text, "expires_in": count, "interval": count,
        })),
        "DeviceTokenRequest": object(&["grant_type", "device_code"], json!({
            "grant_type": {"const": "urn:ietf:params:oauth:grant-type:device_code"}, "device_code": text,
        })),
        "OAuthError": object(&["error"], json!({"error": {"type": ["string", "object"]}, "error_description": text})),
        "DeviceApproval": object(&["user_code"], json!({"user_code": text, "approve": yes_or_no})),
        "DeviceDecision": object(&["status", "device_name", "address"], json!({
            "status": {"enum": ["waiting", "approved", "denied"]}, "device_name": text, "address": text, "expires_at": time,
        })),
        "TeamRequest": object(&["name"], json!({"name": some_name, "timezone": new_zone})),
        "TeamAcceptance": object(&[], json!({"version": {"enum": ["1", null]}})),
        "TeamMembership": object(&["status"], json!({"status": {"enum": ["invited", "accepted"]}})),
        "Team": team,
        "Teams": items_of(reference("Team")),
        "TeamWeeks": items_of(object(&["from_timestamp", "to_timestamp", "suppressed"], json!({
            "from_timestamp": time, "to_timestamp": time, "suppressed": yes_or_no, "blinks_per_minute": count,
        }))),
        "RoleChange": object(&["role"], json!({"role": role})),
    })
}

/// The `responses` object: the refusals, by status.
pub(super) fn errors() -> Value {
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
        (503, "The server cannot reach its database, or too much is being uploaded at once"),
    ];
    let mut responses = Map::new();
    for (status, meaning) in meanings {
        let mut response =
            json!({"description": meaning, "content": {"application/json": {"schema": reference("Error")}}});
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
