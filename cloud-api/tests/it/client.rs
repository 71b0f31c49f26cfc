//! Clients of a server, with or without an account, and its answers.

use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: ureq::http::HeaderMap,
    pub(crate) text: String,
    pub(crate) json: Value,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }

    /// The code of the error envelope, which must be complete.
    #[track_caller]
    pub(crate) fn code(&self) -> &str {
        let error = &self.json["error"];
        let whole = error["code"].is_string() && error["message"].is_string() && error["request_id"].is_string();
        assert!(whole && self.json.as_object().unwrap().len() == 1, "no envelope: {self:?}");
        assert!(self.header("content-type").starts_with("application/json"), "{self:?}");
        assert_eq!(self.header("x-request-id"), error["request_id"].as_str().unwrap());
        error["code"].as_str().unwrap()
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    pub(crate) fn field(&self, name: &str) -> &str {
        self.json["error"]["fields"][name].as_str().unwrap_or("")
    }
}

/// A client, which is anonymous until [`Client::sign_in`].
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) agent: ureq::Agent,
    pub(crate) base: String,
    pub(crate) id: String,
    pub(crate) email: String,
    pub(crate) access: String,
    pub(crate) refresh: String,
    pub(crate) device: Uuid,
}

impl Client {
    pub(crate) fn new(base: &str) -> Self {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .allow_non_standard_methods(true)
            .timeout_global(Some(Duration::from_secs(60)))
            // The server closes an idle connection after 5 s.
            .max_idle_age(Duration::from_secs(2))
            .build()
            .new_agent();
        Self {
            agent,
            base: base.to_owned(),
            id: String::new(),
            email: String::new(),
            access: String::new(),
            refresh: String::new(),
            device: Uuid::new_v4(),
        }
    }

    pub(crate) fn sign_in(&mut self, tokens: &Value) {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        self.id = text(&tokens["user"]["id"]);
        self.email = text(&tokens["user"]["email"]);
        self.access = text(&tokens["access_token"]);
        self.refresh = text(&tokens["refresh_token"]);
    }

    pub(crate) fn with_access(&self, token: &str) -> Self {
        Self { access: token.to_owned(), ..self.clone() }
    }

    pub(crate) fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&[u8]>) -> Answer {
        self.try_send(method, path, headers, body).unwrap()
    }

    pub(crate) fn try_send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Result<Answer, ureq::Error> {
        let mut request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.base));
        if !self.access.is_empty() {
            request = request.header("authorization", format!("Bearer {}", self.access));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut answer = match body {
            Some(body) => self.agent.run(request.body(body)?)?,
            None => self.agent.run(request.body(())?)?,
        };
        let bytes = answer.body_mut().with_config().limit(64 << 20).read_to_vec()?;
        // A photo is none; its bytes do not matter here.
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        Ok(Answer { status: answer.status().as_u16(), headers: answer.headers().clone(), text, json })
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], None)
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, &[("content-type", "application/json")], Some(body.to_string().as_bytes()))
    }

    pub(crate) fn sync(&self, buckets: &[Value]) -> Answer {
        self.post("/api/blink/sync", &json!({"device_id": self.device, "buckets": buckets}))
    }

    /// Uploads minutes, which must all be accepted as new.
    #[track_caller]
    pub(crate) fn store(&self, buckets: &[Value]) {
        let answer = self.sync(buckets).expect(200);
        assert_eq!(answer.json["accepted"], buckets.len(), "{answer:?}");
    }

    pub(crate) fn blinks(&self, query: &str) -> Answer {
        self.get(&format!("/api/user/{}/blinks?{query}", self.id))
    }

    /// The sums of blinks and observed milliseconds over the whole history.
    pub(crate) fn totals(&self) -> (u64, u64) {
        let items = self.blinks("group=week&limit=1000").expect(200);
        let sum = |name: &str| items.json["items"].as_array().unwrap().iter().map(|i| i[name].as_u64().unwrap()).sum();
        (sum("blink_count"), sum("observed_ms"))
    }
}
