//! The operations on topics and their elements.

use serde_json::{Value, json};

use super::call::{Call, HandlerResult, message, not_found, unimplemented};
use super::class::Class;
use super::fields::{plain, reference, text};
use super::objects::Element;
use super::properties::{ELEMENT, defaults_of};
use super::state::Platform;
use super::writing::{write, wrong};
use crate::response::Reply;

pub(super) const MAIN_V2: [&str; 14] = [
    "get_topics_api",
    "search_topics",
    "my_org_topics",
    "create_topic",
    "get_topic",
    "update_topic",
    "delete_topic",
    "topic_elements",
    "topic_elements_create",
    "topic_elements_delete",
    "topic_element_update",
    "delete_topic_element",
    "feature_topic",
    "unfeature_topic",
];

impl Platform {
    pub(super) fn respond_on_topics(&mut self, call: &Call<'_>) -> Option<HandlerResult> {
        const CLASS: Class = Class::Topic;
        Some(match call.operation_id {
            "get_topics_api" | "search_topics" => self.list_of(call, CLASS),
            "my_org_topics" => self.my_topics(call),
            "create_topic" => self.create_topic(call),
            "get_topic" => self.get_object(call, CLASS),
            "update_topic" => self.update_topic(call),
            "delete_topic" => self.delete_topic(call),
            "topic_elements" => self.list_elements(call),
            "topic_elements_create" => self.create_elements(call),
            "topic_elements_delete" => self.delete_elements(call),
            "topic_element_update" => self.update_element(call),
            "delete_topic_element" => self.delete_element(call),
            "feature_topic" | "unfeature_topic" => self.feature(call, CLASS),
            _ => return None,
        })
    }

    /// The topics of the user and of their organizations, filtered as all are.
    fn my_topics(&self, call: &Call<'_>) -> HandlerResult {
        let user = call.signed_in()?;
        let mut found = self.catalogue.found(call, Class::Topic)?;
        found.retain(|entry| self.catalogue.community.owns(Some(user), entry.owned()));
        let page = self.page(call, &found, |entry| self.catalogue.show_entry(*entry, call.api, call.user()))?;
        Ok(Reply::json(200, &page))
    }

    fn create_topic(&mut self, call: &Call<'_>) -> HandlerResult {
        call.signed_in()?;
        let body = call.received.json();
        check_zones(&body["spatial"])?;
        let elements = self.elements_of_body(&body["elements"])?;
        let index = self.create_object(call, Class::Topic)?;
        self.object_mut(index).featured = json!(false);
        let id = self.object(index).id.clone();
        self.put_elements(&id, elements);
        self.shown_object(call, 201, index)
    }

    /// An update leaves the elements where they are, but for a body that has some.
    fn update_topic(&mut self, call: &Call<'_>) -> HandlerResult {
        let body = call.received.json();
        self.place_to_change(call, Class::Topic)?;
        check_zones(&body["spatial"])?;
        let index = self.update_object(call, Class::Topic)?;
        if body["elements"].is_array() {
            let elements = self.elements_of_body(&body["elements"])?;
            let id = self.object(index).id.clone();
            self.catalogue.community.elements.retain(|element| element.topic != id);
            self.put_elements(&id, elements);
        }
        self.shown_object(call, 200, index)
    }

    /// A deleted topic is gone, and so are the discussions about it.
    fn delete_topic(&mut self, call: &Call<'_>) -> HandlerResult {
        let index = self.place_to_change(call, Class::Topic)?;
        let topic = self.catalogue.community.objects.remove(index);
        self.catalogue.community.elements.retain(|element| element.topic != topic.id);
        self.catalogue.discussions.retain(|discussion| discussion["subject"]["id"] != *topic.id);
        Ok(Reply::empty(204))
    }

    fn list_elements(&self, call: &Call<'_>) -> HandlerResult {
        let topic = &self.object(self.place(call, Class::Topic)?).id;
        if call.query("sort").is_some_and(|sort| !sort.is_empty()) {
            return Err(unimplemented("the order of the elements of a topic"));
        }
        let tags = || call.received.query_pairs.iter().filter(|(key, _)| key == "tag");
        let found: Vec<&Element> = self
            .catalogue
            .community
            .elements_of(topic)
            .filter(|element| {
                let of = |name: &str| text(&element.fields, name);
                let all = plain(&format!("{} {}", of("title"), of("description")));
                let has =
                    |tag: &str| element.fields["tags"].as_array().is_some_and(|tags| tags.iter().any(|one| one == tag));
                let class = element.shows.as_ref().map_or("None", |(class, _)| class.name());
                call.query("q").is_none_or(|query| plain(query).split_whitespace().all(|word| all.contains(word)))
                    && call.query("class").is_none_or(|wanted| wanted.is_empty() || wanted == class)
                    && tags().all(|(_, tag)| has(tag))
            })
            .collect();
        Ok(Reply::json(200, &self.page(call, &found, |element| self.catalogue.element(element))?))
    }

    /// Writes an element, which has to have a title or something that it shows.
    fn write_element(&self, element: &mut Element, body: &Value) -> Result<(), Reply> {
        write(&mut element.fields, body, &ELEMENT)?;
        match body.get("element") {
            None => {}
            Some(Value::Null) => element.shows = None,
            Some(shown) => {
                let class = Class::of(shown["class"].as_str().unwrap_or_default());
                let class = class.filter(|class| matches!(class, Class::Dataset | Class::Reuse | Class::Dataservice));
                let class = class
                    .ok_or_else(|| wrong("element", "Value must be one of ['Dataset', 'Reuse', 'Dataservice']"))?;
                element.shows = Some((class, self.catalogue.known("element", class, shown)?));
            }
        }
        if element.shows.is_none() && element.fields["title"].is_null() {
            return Err(wrong("element", "Un élément de thématique doit avoir un titre ou un élément."));
        }
        Ok(())
    }

    fn new_element(&self, body: &Value) -> Result<Element, Reply> {
        let fields = defaults_of(&ELEMENT);
        let mut element = Element { id: String::new(), topic: String::new(), fields, shows: None };
        self.write_element(&mut element, body)?;
        Ok(element)
    }

    fn elements_of_body(&self, body: &Value) -> Result<Vec<Element>, Reply> {
        body.as_array().into_iter().flatten().map(|one| self.new_element(one)).collect()
    }

    /// Adds elements to a topic; gives their ids.
    fn put_elements(&mut self, topic: &str, elements: Vec<Element>) -> Vec<String> {
        let mut ids = Vec::new();
        for element in elements {
            let id = self.catalogue.new_object_id();
            ids.push(id.clone());
            self.catalogue.community.elements.push(Element { id, topic: topic.to_owned(), ..element });
        }
        ids
    }

    fn create_elements(&mut self, call: &Call<'_>) -> HandlerResult {
        let index = self.place_to_change(call, Class::Topic)?;
        let body = call.received.json();
        let Some(list) = body.as_array() else { return Err(message(400, "Expecting a list")) };
        let mut elements = Vec::new();
        let mut errors = Vec::new();
        for one in list {
            match self.new_element(one) {
                Ok(element) => elements.push(element),
                Err(refusal) => {
                    let refusal: Value = serde_json::from_slice(&refusal.body).unwrap_or_default();
                    let fields = refusal["errors"].as_object().into_iter().flatten();
                    errors.extend(fields.map(|(field, reason)| json!({field: [reason]})));
                }
            }
        }
        if !errors.is_empty() {
            return Err(Reply::json(400, &json!({"errors": errors})));
        }
        let id = self.object(index).id.clone();
        let ids = self.put_elements(&id, elements);
        let now = self.catalogue.now();
        self.object_mut(index).modified = now;
        let made = self.catalogue.community.elements.iter().filter(|element| ids.contains(&element.id));
        let shown: Value = made.map(|element| self.catalogue.element(element)).collect();
        Ok(Reply::json(201, &shown))
    }

    fn delete_elements(&mut self, call: &Call<'_>) -> HandlerResult {
        let index = self.place_to_change(call, Class::Topic)?;
        let id = self.object(index).id.clone();
        self.catalogue.community.elements.retain(|element| element.topic != id);
        Ok(Reply::empty(204))
    }

    /// The place of the element that the path names, of a topic that the user may change.
    fn element(&self, call: &Call<'_>) -> Result<usize, Reply> {
        let topic = &self.object(self.place_to_change(call, Class::Topic)?).id;
        let id = call.capture("element_id");
        let elements = &self.catalogue.community.elements;
        elements.iter().position(|element| element.topic == *topic && element.id == id).ok_or_else(not_found)
    }

    fn update_element(&mut self, call: &Call<'_>) -> HandlerResult {
        let index = self.element(call)?;
        let mut element = self.catalogue.community.elements[index].clone();
        self.write_element(&mut element, &call.received.json())?;
        let shown = self.catalogue.element(&element);
        self.catalogue.community.elements[index] = element;
        Ok(Reply::json(200, &shown))
    }

    fn delete_element(&mut self, call: &Call<'_>) -> HandlerResult {
        let index = self.element(call)?;
        self.catalogue.community.elements.remove(index);
        Ok(Reply::empty(204))
    }
}

/// Refuses zones of a topic that there cannot be.
fn check_zones(spatial: &Value) -> Result<(), Reply> {
    let zones = spatial["zones"].as_array().into_iter().flatten();
    match zones.filter_map(reference).find(|zone| !zone.contains(':')) {
        Some(zone) => Err(wrong("zones", &format!("Unknown reference '{zone}'"))),
        None => Ok(()),
    }
}
