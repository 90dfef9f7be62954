//! New objects: their ids and slugs.

use serde_json::Value;

use super::catalogue::{Catalogue, Dataset};
use super::class::Class;
use super::fields::slug;
use super::objects::{Object, Owned};

impl Catalogue {
    /// An object of the class, not in the catalogue yet.
    pub(crate) fn new_object(&mut self, class: Class, fields: Value) -> Object {
        let now = self.now();
        let id = self.new_object_id();
        Object::new(class, id, fields, &now)
    }

    /// An id in the form of the catalogue.
    pub(crate) fn new_object_id(&mut self) -> String {
        self.made += 1;
        let made = format!("6712ab34cd56ef7890{:06x}", self.made);
        self.new_id(made)
    }

    /// A UUID that nothing has yet.
    pub(crate) fn new_uuid(&mut self) -> String {
        self.made += 1;
        let made = format!("{:08x}-6e4d-4c3b-8f90-1a2b3c4d5e6f", self.made);
        self.new_id(made)
    }

    /// A slug that no other object of the class has: the real catalogue counts, too.
    pub(crate) fn free_slug_of(&self, class: Class, title: &str) -> String {
        let wanted = slug(title);
        let taken = |slug: &str| self.community.position(class, slug).is_some();
        if !taken(&wanted) {
            return wanted;
        }
        (1..).map(|number| format!("{wanted}-{number}")).find(|slug| !taken(slug)).unwrap_or(wanted)
    }

    /// Gives an object the name that it has now; the slug it had leads to it still.
    pub(crate) fn rename(&mut self, index: usize) {
        let Some(object) = self.community.objects.get(index) else { return };
        let (class, title) = (object.class, object.title().to_owned());
        if slug(&title) == object.slug || class == Class::User {
            return;
        }
        let slug = self.free_slug_of(class, &title);
        if let Some(object) = self.community.objects.get_mut(index) {
            object.old_slugs.push(std::mem::replace(&mut object.slug, slug));
        }
    }

    /// Who owns an object of some class.
    pub(crate) fn owned(&self, class: Class, id: &str) -> Option<Owned<'_>> {
        if class == Class::Dataset {
            return self.datasets.iter().find(|dataset| dataset.id == id).map(Dataset::owned);
        }
        self.community.get(class, id).map(Object::owned)
    }
}
