//! The table functions `resource('…')` and `dataset('…')`.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use datafusion::catalog::{TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::plan_err;
use datafusion::error::Result;
use datafusion::logical_expr::Expr;
use datafusion::prelude::{DataFrame, SessionContext};
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{
    Expr as SqlExpr, FunctionArg, FunctionArgExpr, TableFactor, Value, Visit, Visitor,
};

use crate::tables::{Name, Tables};

/// What a function's argument names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Resource,
    Dataset,
}

impl Kind {
    pub(crate) fn function(self) -> &'static str {
        match self {
            Self::Resource => "resource",
            Self::Dataset => "dataset",
        }
    }

    fn name(self, argument: String) -> Name {
        match self {
            Self::Resource => Name::Resource(argument),
            Self::Dataset => Name::Dataset(argument),
        }
    }
}

/// A table function.
#[derive(Clone, Debug)]
pub(crate) struct Function {
    pub tables: Tables,
    pub kind: Kind,
}

impl TableFunctionImpl for Function {
    fn call_with_args(&self, args: TableFunctionArgs) -> Result<Arc<dyn TableProvider>> {
        let argument = match args.exprs() {
            [Expr::Literal(value, _)] => value.try_as_str().flatten(),
            _ => None,
        };
        let Some(argument) = argument else {
            let function = self.kind.function();
            return plan_err!("`{function}` takes the id of a {function} as a text: {function}('…')");
        };
        Ok(self.tables.table_now(&self.kind.name(argument.to_owned()))?)
    }
}

/// Plans a query of SQL; fetches the columns of the tables that its functions name first.
///
/// [`SessionContext::sql`] does the same on a runtime of several threads, one of which it blocks meanwhile.
///
/// # Errors
///
/// Returns an error if the query cannot be parsed or planned, or a table's columns cannot be had.
pub async fn sql(context: &SessionContext, query: &str) -> Result<DataFrame> {
    let state = context.state();
    let dialect = state.config_options().sql_parser.dialect;
    let statement = state.sql_to_statement(query, &dialect)?;
    for (function, argument) in calls(&statement) {
        if let Some(function) = state.table_functions().get(&function)
            && let Some(function) = (function.function().as_ref() as &dyn std::any::Any).downcast_ref::<Function>()
        {
            function.tables.table(&function.kind.name(argument)).await?;
        }
    }
    let plan = state.statement_to_plan(statement).await?;
    context.execute_logical_plan(plan).await
}

/// The table functions that a statement calls with a text, and the texts.
fn calls(statement: &Statement) -> BTreeSet<(String, String)> {
    match statement {
        Statement::Statement(statement) => {
            let mut calls = Calls::default();
            let _ = statement.visit(&mut calls);
            calls.0
        }
        Statement::Explain(explain) => calls(&explain.statement),
        Statement::CopyTo(copy) => match &copy.source {
            datafusion::sql::parser::CopyToSource::Query(query) => {
                let mut calls = Calls::default();
                let _ = query.visit(&mut calls);
                calls.0
            }
            datafusion::sql::parser::CopyToSource::Relation(_) => BTreeSet::new(),
        },
        _ => BTreeSet::new(),
    }
}

#[derive(Default)]
struct Calls(BTreeSet<(String, String)>);

impl Visitor for Calls {
    type Break = ();

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        if let TableFactor::Table { name, args: Some(args), .. } = factor
            && let [FunctionArg::Unnamed(FunctionArgExpr::Expr(SqlExpr::Value(value)))] = args.args.as_slice()
            && let Value::SingleQuotedString(text) = &value.value
        {
            self.0.insert((name.to_string().to_lowercase(), text.clone()));
        }
        ControlFlow::Continue(())
    }
}
