//! Data that a test adds to the platform.

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Value, json};

use crate::Sandbox;
use crate::platform::NewTable;
use crate::sort::sort_by;

/// The builder of a dataset, made by [`Sandbox::dataset`].
#[must_use = "the dataset is added by `.add()`"]
#[derive(Debug)]
pub struct NewDataset<'p> {
    platform: &'p Sandbox,
    fields: Vec<(&'static str, Value)>,
    tags: Vec<String>,
    files: Vec<(String, Bytes)>,
}

/// A dataset that was added, with the ids by which a client finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AddedDataset {
    /// The id of the dataset.
    pub id: String,
    /// The slug of the dataset, made of its title.
    pub slug: String,
    /// The ids of its resources, in the order of their files.
    pub resources: Vec<String>,
}

impl NewDataset<'_> {
    /// Sets the description. Default: the title.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.fields.push(("description", json!(text.into())));
        self
    }

    /// Adds a tag.
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.tags.push(tag.into());
        self
    }

    /// Sets a property that an editor may write, by its name in the document.
    pub fn set(mut self, property: &'static str, value: impl Into<Value>) -> Self {
        self.fields.push((property, value.into()));
        self
    }

    /// Adds a resource with a file. A CSV has rows in the tabular API.
    pub fn file(mut self, name: impl Into<String>, data: impl Into<Bytes>) -> Self {
        self.files.push((name.into(), data.into()));
        self
    }

    /// Adds the dataset.
    pub fn add(self) -> AddedDataset {
        let mut memory = self.platform.state.memory();
        let memory = &mut *memory;
        let tags = [("tags", json!(self.tags))];
        let fields = tags.into_iter().filter(|_| !self.tags.is_empty()).chain(self.fields).collect();
        memory.platform.add_dataset(fields, self.files, &mut memory.files)
    }
}

impl Sandbox {
    /// Returns the builder of a dataset with a title, which is added to the platform.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> datagouv::Result<()> {
    /// use datagouv_sandbox::Sandbox;
    ///
    /// let platform = Sandbox::start_platform().await;
    /// let trees = platform.dataset("Trees of Paris").tag("trees").file("trees.csv", "name,height\nElm,12.5\n").add();
    ///
    /// let client = platform.client();
    /// assert_eq!(client.dataset("trees-of-paris").get().await?.id, trees.id);
    /// assert_eq!(client.main().list_datasets().tag(["trees"]).send().await?.total, 1);
    /// assert_eq!(client.resource(&trees.resources[0]).rows::<datagouv::rows::Row>().count().await?, 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn dataset(&self, title: impl Into<String>) -> NewDataset<'_> {
        let title = title.into();
        let fields = vec![("title", json!(title)), ("description", json!(title))];
        NewDataset { platform: self, fields, tags: Vec::new(), files: Vec::new() }
    }

    /// Adds a dataset with one resource, a table; returns the id of the resource.
    ///
    /// The columns have a name and a type, in the words of a profile (`string`, `int`, `float`, `bool`, `date`,
    /// `datetime`, `json`). Each row is a list or a tuple. The catalogue, the tabular API and the file agree on the rows.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> datagouv::Result<()> {
    /// use datagouv::rows::{Row, col};
    /// use datagouv_sandbox::Sandbox;
    ///
    /// let platform = Sandbox::start_platform().await;
    /// let id = platform.table(&[("name", "string"), ("height", "float")], [("Elm", 12.5), ("Oak", 9.0)]);
    ///
    /// let client = platform.client();
    /// let rows = client.resource(&id).rows::<Row>().filter(col("height").gt(10));
    /// assert_eq!(rows.count().await?, 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// When a type is unknown, or a value is not of its column's type.
    #[track_caller]
    pub fn table(&self, columns: &[(&str, &str)], rows: impl Serialize) -> String {
        self.add_as_dataset(NewTable::new(columns, rows))
    }

    /// As [`Sandbox::table`], for rows that are objects: columns and types are those of the values.
    ///
    /// # Panics
    ///
    /// When a row is not an object.
    #[track_caller]
    pub fn table_of(&self, rows: impl Serialize) -> String {
        self.add_as_dataset(NewTable::of(rows))
    }

    #[track_caller]
    fn add_as_dataset(&self, table: NewTable) -> String {
        let mut memory = self.state.memory();
        let memory = &mut *memory;
        let number = memory.platform.changes();
        let title = format!("Table {number}");
        let fields = vec![("title", json!(title)), ("description", json!(title))];
        let files = vec![("table.csv".to_owned(), table.to_csv().into())];
        let seeded = memory.platform.add_dataset(fields, files, &mut memory.files);
        let resource = seeded.resources.into_iter().next().unwrap_or_default();
        memory.platform.set_table(&resource, table);
        resource
    }

    /// Allows aggregation on a resource, which the platform refuses on most.
    pub fn allow_aggregation(&self, resource: &str) {
        self.state.memory().platform.allow_aggregation(resource);
    }

    /// Sets the clock of the platform, in the form `2026-03-01T08:00:00`. Every change advances it by a minute.
    ///
    /// # Panics
    ///
    /// When the text is not a date and time.
    #[track_caller]
    pub fn set_clock(&self, now: &str) {
        let known = self.state.memory().platform.set_clock(now);
        assert!(known, "`{now}` is not a date and time such as 2026-03-01T08:00:00");
    }

    /// Sets the ids of what is created next: datasets, resources and discussions. Afterwards ids are made from the
    /// number of changes, so that they are the same in every run.
    pub fn next_ids<I: Into<String>>(&self, ids: impl IntoIterator<Item = I>) {
        self.state.memory().platform.next_ids(ids.into_iter().map(Into::into));
    }
}

impl NewTable {
    /// A table of columns, with their types, and of rows that are lists or tuples.
    ///
    /// # Panics
    ///
    /// When a row is of another form or length.
    #[track_caller]
    #[must_use]
    pub fn new(columns: &[(&str, &str)], rows: impl Serialize) -> Self {
        let rows: Vec<Vec<Value>> = from_rows(rows);
        if let Some(row) = rows.iter().find(|row| row.len() != columns.len()) {
            panic!("a row has {} values for {} columns", row.len(), columns.len());
        }
        let columns = columns.iter().map(|(name, kind)| ((*name).to_owned(), (*kind).to_owned())).collect();
        Self { columns, rows, ..Self::default() }
    }

    /// A table of rows that are objects. The columns are in the order of their names.
    ///
    /// # Panics
    ///
    /// When a row is not an object.
    #[track_caller]
    #[must_use]
    pub fn of(rows: impl Serialize) -> Self {
        let rows: Vec<serde_json::Map<String, Value>> = from_rows(rows);
        let mut names: Vec<&String> = rows.iter().flat_map(|row| row.keys()).collect();
        sort_by(&mut names, Ord::cmp);
        names.dedup();
        let values = |name: &str| rows.iter().map(|row| row.get(name).cloned().unwrap_or_default()).collect::<Vec<_>>();
        let columns = names.iter().map(|name| ((*name).clone(), kind_of(&values(name)).to_owned())).collect();
        let cells = |row: &serde_json::Map<String, Value>| {
            names.iter().map(|name| row.get(*name).cloned().unwrap_or_default()).collect()
        };
        let rows = rows.iter().map(cells).collect();
        Self { columns, rows, ..Self::default() }
    }

    /// The rows as a file.
    pub(crate) fn to_csv(&self) -> String {
        let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
        let cell = |value: &Value| match value {
            Value::Null => String::new(),
            Value::String(text) => quoted(text),
            Value::Array(_) | Value::Object(_) => quoted(&value.to_string()),
            value => value.to_string(),
        };
        let names: Vec<String> = self.columns.iter().map(|(name, _)| quoted(name)).collect();
        let rows = self.rows.iter().map(|row| row.iter().map(cell).collect::<Vec<_>>().join(","));
        std::iter::once(names.join(",")).chain(rows).map(|line| line + "\n").collect()
    }
}

#[track_caller]
fn from_rows<T: serde::de::DeserializeOwned>(rows: impl Serialize) -> Vec<T> {
    match serde_json::to_value(rows).and_then(serde_json::from_value) {
        Ok(rows) => rows,
        Err(error) => panic!("the rows of a table are of another form: {error}"),
    }
}

/// The type of a column, in the words of a profile.
fn kind_of(values: &[Value]) -> &'static str {
    type Test<'a> = &'a dyn Fn(&Value) -> bool;
    let values: Vec<&Value> = values.iter().filter(|value| !value.is_null()).collect();
    let all = |is: Test<'_>| !values.is_empty() && values.iter().all(|value| is(value));
    let is_of = |format: &'static str| {
        move |value: &Value| value.as_str().is_some_and(|text| crate::format::fits(format, text))
    };
    let kinds: [(&'static str, Test<'_>); 6] = [
        ("bool", &Value::is_boolean),
        ("int", &Value::is_i64),
        ("float", &Value::is_number),
        ("date", &is_of("date")),
        ("datetime", &is_of("date-time")),
        ("json", &|value| value.is_array() || value.is_object()),
    ];
    kinds.into_iter().find(|(_, is)| all(is)).map_or("string", |(kind, _)| kind)
}
