//! The serialized form of conditions, orders and aggregates.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::expression::{Condition, Node, Operator, Test};
use super::order::{Aggregate, avg, count, max, min, sum};

impl Serialize for Condition {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Condition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let node = Node::deserialize(deserializer)?;
        ensure_complete(&node).map_err(de::Error::custom)?;
        Ok(Self(node.simplified()))
    }
}

/// A test without the operands that its operator needs would be sent as another one.
fn ensure_complete(node: &Node) -> Result<(), String> {
    match node {
        Node::Always(_) => Ok(()),
        Node::All(nodes) | Node::Any(nodes) => nodes.iter().try_for_each(ensure_complete),
        Node::Test(Test { column, operator, operands }) => {
            let fits = match operator {
                Operator::Null | Operator::NotNull => operands.is_empty(),
                Operator::In | Operator::NotIn => !operands.is_empty(),
                _ => operands.len() == 1,
            };
            fits.then_some(()).ok_or_else(|| {
                format!("`{}` of the column `{column}` does not take {} operands", operator.symbol(), operands.len())
            })
        }
    }
}

impl Serialize for Aggregate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (&self.column, self.operator).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Aggregate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (column, operator) = <(String, String)>::deserialize(deserializer)?;
        Ok(match operator.as_str() {
            "count" => count(column),
            "avg" => avg(column),
            "min" => min(column),
            "max" => max(column),
            "sum" => sum(column),
            other => return Err(de::Error::unknown_variant(other, &["count", "avg", "min", "max", "sum"])),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json, to_value};

    use super::super::expression::col;
    use super::super::order::Order;
    use super::*;

    #[test]
    fn conditions_and_orders_survive_serialization() {
        let condition = || {
            (col("a").lt(1.5) | col("b").is_in(["x", ""]) & col("c").is_null())
                & !col("d").like("gare%")
                & col("e").is_distinct_from("é")
        };
        let sent = to_value(condition()).unwrap();
        let first = json!({"test": {"column": "a", "operator": "less_than", "operands": ["1.5"]}});
        assert_eq!(sent["all"][0]["any"][0], first);
        assert_eq!(from_value::<Condition>(sent).unwrap(), condition());
        let none = col("a").is_in([""; 0]);
        assert_eq!(to_value(&none).unwrap(), json!({"always": false}));
        assert_eq!(from_value::<Condition>(json!({"always": false})).unwrap(), none);
        let order = col("a").desc().nulls_last();
        let sent = to_value(&order).unwrap();
        assert_eq!(sent, json!({"column": "a", "descending": true, "nulls_first": false}));
        assert_eq!(from_value::<Order>(sent).unwrap(), order);
        assert_eq!(from_value::<Aggregate>(to_value(avg("a")).unwrap()).unwrap(), avg("a"));
    }

    #[test]
    fn a_comparison_without_its_operands_is_refused() {
        for (operator, operands) in [("equal", vec![]), ("equal", vec!["1", "2"]), ("null", vec!["1"]), ("in", vec![])]
        {
            let test = json!({"any": [{"test": {"column": "a", "operator": operator, "operands": operands}}]});
            let error = from_value::<Condition>(test).unwrap_err();
            assert!(error.to_string().contains("operands"), "{error}");
        }
        assert!(from_value::<Aggregate>(json!(["a", "median"])).is_err());
    }
}
