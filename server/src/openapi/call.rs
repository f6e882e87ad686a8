//! One call of the API as OpenAPI writes it. What is the same for many calls is said here once: the refusals that come with a
//! token, a JSON body, a store, and the headers of every answer.

use std::collections::BTreeMap;

use onetimeshare_protocol::error::ErrorCode;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

use super::components::{self, CLAIM_TOKEN, CREATE_TOKEN, OWNER_TOKEN};

/// A type's schema under its name, for every type that a call speaks of.
pub(super) type Schemas = Vec<(String, RefOr<Schema>)>;

/// One method of one path.
pub(super) struct Call {
    method: &'static str,
    path: &'static str,
    operation: Map<String, Value>,
    parameters: Vec<Value>,
    answers: BTreeMap<u16, Value>,
    codes: Vec<ErrorCode>,
    pub(super) schemas: Schemas,
}

impl Call {
    /// A call that can be refused only for what every request can be refused for.
    pub(super) fn new(
        method: &'static str,
        path: &'static str,
        id: &'static str,
        summary: &'static str,
    ) -> Self {
        let names = ["id", "index"].into_iter();
        let parameters = names
            .filter(|name| path.contains(&format!("{{{name}}}")))
            .map(|name| json!({"$ref": format!("#/components/parameters/{name}")}));
        let mut operation = Map::new();
        operation.insert("operationId".into(), id.into());
        operation.insert("summary".into(), summary.into());
        Self {
            method,
            path,
            operation,
            parameters: parameters.collect(),
            answers: BTreeMap::new(),
            codes: vec![
                ErrorCode::RequestMalformed,
                ErrorCode::LengthRequired,
                ErrorCode::ServerInternal,
            ],
            schemas: Schemas::new(),
        }
    }

    pub(super) fn tagged(mut self, tag: &'static str) -> Self {
        self.operation.insert("tags".into(), json!([tag]));
        self
    }

    pub(super) fn needs_owner(self) -> Self {
        self.needs_token(OWNER_TOKEN)
    }

    pub(super) fn needs_claimant(self) -> Self {
        self.needs_token(CLAIM_TOKEN)
    }

    /// Takes a create token; some servers take nothing without one.
    pub(super) fn may_need_creator(mut self) -> Self {
        self.operation
            .insert("security".into(), json!([{}, {CREATE_TOKEN: []}]));
        self.refuses(&[ErrorCode::CreateUnauthorized])
    }

    fn needs_token(mut self, scheme: &'static str) -> Self {
        self.operation
            .insert("security".into(), json!([{scheme: []}]));
        self.refuses(&[ErrorCode::RequestUnauthorized, ErrorCode::TransferUnknown])
    }

    /// Takes a JSON body.
    pub(super) fn takes<T: ToSchema>(mut self) -> Self {
        let schema = self.reference::<T>();
        self.takes_content("application/json", json!({"schema": schema}), None)
            .refuses(&[
                ErrorCode::RequestTimeout,
                ErrorCode::RequestTooLarge,
                ErrorCode::MediaTypeUnsupported,
            ])
    }

    /// Takes raw bytes.
    pub(super) fn takes_bytes(self, text: &'static str) -> Self {
        self.takes_content("application/octet-stream", json!({}), Some(text))
    }

    fn takes_content(mut self, media_type: &str, content: Value, text: Option<&str>) -> Self {
        let mut body = json!({"required": true, "content": {media_type: content}});
        if let Some(text) = text {
            body["description"] = text.into();
        }
        self.operation.insert("requestBody".into(), body);
        self
    }

    pub(super) fn takes_header(mut self, name: &str, is_required: bool, schema: Value) -> Self {
        self.parameters
            .push(json!({"name": name, "in": "header", "required": is_required, "schema": schema}));
        self
    }

    /// Answers JSON that is one of the wire types.
    pub(super) fn answers<T: ToSchema>(mut self, status: u16, text: &str) -> Self {
        let schema = self.reference::<T>();
        self.answers_json(status, text, schema)
    }

    pub(super) fn answers_json(self, status: u16, text: &str, schema: Value) -> Self {
        self.answers_with(
            status,
            text,
            &[],
            json!({"application/json": {"schema": schema}}),
        )
    }

    /// Answers raw bytes, with these headers beside those of every answer.
    pub(super) fn answers_bytes(self, status: u16, text: &str, headers: &[&str]) -> Self {
        self.answers_with(
            status,
            text,
            headers,
            json!({"application/octet-stream": {}}),
        )
    }

    /// Answers 204.
    pub(super) fn answers_nothing(self, text: &str) -> Self {
        self.answers_with(204, text, &[], Value::Null)
    }

    fn answers_with(mut self, status: u16, text: &str, headers: &[&str], content: Value) -> Self {
        self.answers.insert(status, answer(text, headers, content));
        self
    }

    /// These calls go on with the transfer of every answer so far; `id` is where its id stands.
    pub(super) fn leads_to(mut self, calls: &[&str], id: &str) -> Self {
        let link = |call: &&str| {
            let link = json!({"operationId": call, "parameters": {"id": id}});
            ((*call).to_owned(), link)
        };
        let links: Map<_, _> = calls.iter().map(link).collect();
        for answer in self.answers.values_mut() {
            answer["links"] = links.clone().into();
        }
        self
    }

    pub(super) fn refuses(mut self, codes: &[ErrorCode]) -> Self {
        self.codes.extend(codes);
        self
    }

    /// Belongs to one half of the calls, which some servers do not take.
    pub(super) fn belongs_to_a_role(self) -> Self {
        self.refuses(&[ErrorCode::PathElsewhere])
    }

    /// Costs its client some of a budget.
    pub(super) fn costs(self) -> Self {
        self.refuses(&[ErrorCode::RateLimited])
    }

    /// Stands or falls with the stores.
    pub(super) fn asks_stores(self) -> Self {
        self.refuses(&[ErrorCode::StoreUnreachable, ErrorCode::StoreFull])
    }

    fn reference<T: ToSchema>(&mut self) -> Value {
        T::schemas(&mut self.schemas);
        self.schemas.push((T::name().into_owned(), T::schema()));
        components::schema_reference(&T::name())
    }

    /// The operation, whole.
    fn into_operation(mut self) -> Value {
        let mut refusals: BTreeMap<u16, Vec<ErrorCode>> = BTreeMap::new();
        for code in self.codes {
            refusals.entry(code.status()).or_default().push(code);
        }
        // To HEAD, an answer is its headers.
        let has_body = self.method != "head";
        let refusals = refusals
            .into_iter()
            .map(|(status, codes)| (status, refusal(&codes, has_body)));
        self.answers.extend(refusals);
        let responses: Map<_, _> = self
            .answers
            .into_iter()
            .map(|(status, answer)| (status.to_string(), answer))
            .collect();
        self.operation.insert("responses".into(), responses.into());
        if !self.parameters.is_empty() {
            self.operation
                .insert("parameters".into(), self.parameters.into());
        }
        self.operation.into()
    }
}

/// The table of paths.
pub(super) fn paths(calls: Vec<Call>) -> Value {
    let mut paths = Map::new();
    for call in calls {
        let (path, method) = (call.path, call.method);
        let item = paths.entry(path).or_insert_with(|| json!({}));
        item[method] = call.into_operation();
    }
    paths.into()
}

fn refusal(codes: &[ErrorCode], has_body: bool) -> Value {
    let lines = codes
        .iter()
        .map(|code| format!("`{code}`: {}", code.meaning()));
    let headers = codes.iter().flat_map(|code| headers_of(*code));
    let headers: Vec<_> = headers.copied().collect();
    let content = if has_body {
        json!({"application/json": {"schema": {"allOf": [
            components::schema_reference("ErrorBody"),
            {"properties": {"code": {"enum": codes}}},
        ]}}})
    } else {
        Value::Null
    };
    answer(&lines.collect::<Vec<_>>().join("\n"), &headers, content)
}

/// The headers that an error comes with.
const fn headers_of(code: ErrorCode) -> &'static [&'static str] {
    match code {
        ErrorCode::RequestUnauthorized | ErrorCode::CreateUnauthorized => &["WWW-Authenticate"],
        ErrorCode::MethodUnknown => &["Allow"],
        ErrorCode::RangeUnsatisfiable => &["Content-Range"],
        ErrorCode::RateLimited => &["Retry-After", "RateLimit", "RateLimit-Policy"],
        ErrorCode::StoreUnreachable => &["Retry-After"],
        _ => &[],
    }
}

fn answer(text: &str, headers: &[&str], content: Value) -> Value {
    let headers: Map<_, _> = components::EVERY_ANSWER
        .iter()
        .chain(headers)
        .map(|name| {
            let header = json!({"$ref": format!("#/components/headers/{name}")});
            ((*name).to_owned(), header)
        })
        .collect();
    let mut answer = json!({"description": text, "headers": headers});
    if !content.is_null() {
        answer["content"] = content;
    }
    answer
}
