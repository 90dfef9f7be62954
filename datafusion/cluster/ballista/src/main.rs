//! The scheduler, an executor, or a client of Ballista, which read Parquet files by URL.

use std::error::Error;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use ballista_executor::executor_process::{ExecutorProcessConfig, start_executor_process};
use ballista_scheduler::cluster::BallistaCluster;
use ballista_scheduler::config::{SchedulerConfig, TaskDistributionPolicy};
use ballista_scheduler::scheduler_process::{create_scheduler, start_grpc_service_with_listener};
use clap::{Args, Parser, Subcommand};
use datafusion::arrow::util::pretty::pretty_format_batches_with_schema;
use datafusion_proto::protobuf::{LogicalPlanNode, PhysicalPlanNode};
use tokio::net::TcpListener;

#[derive(Parser)]
#[command(
    about = "SQL over Parquet files by URL on Apache Ballista",
    after_help = "RUST_LOG=info logs what a scheduler and an executor do. Both read whatever URL and file a plan names: keep their ports within your network."
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Plans queries, and gives their tasks to executors
    Scheduler(Scheduler),
    /// Executes tasks
    Executor(Executor),
    /// Executes statements one after the other, and prints their rows
    Sql(Sql),
}

#[derive(Args)]
struct Scheduler {
    /// The address to listen on, and that executors reach this scheduler by
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:50050")]
    listen: SocketAddr,
    /// How many executors have to be there before `/readyz` is 200
    #[arg(long, value_name = "COUNT", default_value_t = 1)]
    executors: usize,
    /// How long an executor may be silent before it counts as lost; more than its heartbeat
    #[arg(long, value_name = "SECONDS", default_value_t = 180)]
    executor_timeout: u64,
}

#[derive(Args)]
struct Executor {
    /// The scheduler
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:50050")]
    scheduler: SocketAddr,
    /// The address to listen on, and that others reach this executor by
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    listen: IpAddr,
    /// The port that batches are fetched from; one that is free by default
    #[arg(long, value_name = "PORT")]
    flight_port: Option<u16>,
    /// The port that takes tasks; one that is free by default
    #[arg(long, value_name = "PORT")]
    grpc_port: Option<u16>,
    /// How many partitions are executed at a time
    #[arg(long, value_name = "COUNT", default_value_t = 2)]
    vcores: usize,
    /// Where the batches between stages are written; a temporary folder by default
    #[arg(long, value_name = "FOLDER")]
    work_dir: Option<PathBuf>,
    /// How often the scheduler hears of this executor
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    heartbeat: u64,
}

#[derive(Args)]
struct Sql {
    /// The scheduler
    #[arg(long, value_name = "df://HOST:PORT", default_value = "df://127.0.0.1:50050")]
    scheduler: String,
    /// Without a cluster: DataFusion in this process
    #[arg(long, conflicts_with = "scheduler")]
    alone: bool,
    /// `CREATE EXTERNAL TABLE t STORED AS PARQUET LOCATION 'http://…'`, `SET …`, `SELECT …`
    #[arg(required = true)]
    statements: Vec<String>,
}

type Ended = Result<(), Box<dyn Error + Send + Sync>>;

fn main() -> ExitCode {
    env_logger::init();
    let arguments = Arguments::parse();
    // Plans are nested deeply, and code that is not optimised takes much stack.
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().thread_stack_size(32 << 20).build();
    let ended = runtime.map_err(Into::into).and_then(|runtime| {
        let run = async {
            match arguments.command {
                Command::Scheduler(arguments) => scheduler(arguments).await,
                Command::Executor(arguments) => executor(arguments).await,
                Command::Sql(arguments) => sql(arguments).await,
            }
        };
        // On a thread with that stack, which the main thread does not have.
        runtime.block_on(runtime.spawn(run))?
    });
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn scheduler(arguments: Scheduler) -> Ended {
    let listener = TcpListener::bind(arguments.listen)
        .await
        .map_err(|error| format!("cannot listen on {}: {error}", arguments.listen))?;
    let address = listener.local_addr()?;
    let config = SchedulerConfig {
        external_host: address.ip().to_string(),
        bind_host: address.ip().to_string(),
        bind_port: address.port(),
        min_ready_executors: arguments.executors,
        executor_timeout_seconds: arguments.executor_timeout,
        no_executors_grace_period_seconds: arguments.executor_timeout,
        expire_dead_executor_interval_seconds: (arguments.executor_timeout / 12).max(1),
        // The default fills one executor before the next.
        task_distribution: TaskDistributionPolicy::RoundRobin,
        override_session_builder: Some(Arc::new(datagouv_ballista::session)),
        ..SchedulerConfig::default()
    };
    config.validate()?;
    let cluster = BallistaCluster::new_from_config(&config).await?;
    let server = create_scheduler::<LogicalPlanNode, PhysicalPlanNode>(cluster, Arc::new(config)).await?;
    println!("listening on {address}");
    tokio::select! {
        ended = start_grpc_service_with_listener(listener, server) => Ok(ended?),
        interrupted = tokio::signal::ctrl_c() => Ok(interrupted?),
    }
}

async fn executor(arguments: Executor) -> Ended {
    // Both at a time, so that they differ.
    let [flight, grpc] = [(); 2].map(|()| std::net::TcpListener::bind((arguments.listen, 0)));
    let (flight, grpc) = (flight?.local_addr()?.port(), grpc?.local_addr()?.port());
    let temporary;
    let folder = match arguments.work_dir {
        Some(folder) => folder,
        None => {
            temporary = tempfile::tempdir()?;
            temporary.path().to_owned()
        }
    };
    std::fs::create_dir_all(&folder).map_err(|error| format!("cannot create {}: {error}", folder.display()))?;
    let config = ExecutorProcessConfig {
        bind_host: arguments.listen.to_string(),
        external_host: Some(arguments.listen.to_string()),
        port: arguments.flight_port.unwrap_or(flight),
        grpc_port: arguments.grpc_port.unwrap_or(grpc),
        scheduler_host: arguments.scheduler.ip().to_string(),
        scheduler_port: arguments.scheduler.port(),
        vcores: arguments.vcores,
        work_dir: Some(folder.display().to_string()),
        executor_heartbeat_interval_seconds: arguments.heartbeat,
        override_runtime_producer: Some(Arc::new(move |_| datagouv_ballista::runtime(Some(&folder)))),
        ..ExecutorProcessConfig::default()
    };
    Ok(start_executor_process(Arc::new(config)).await?)
}

async fn sql(arguments: Sql) -> Ended {
    let context = match arguments.alone {
        true => datagouv_ballista::alone()?,
        false => datagouv_ballista::client(&arguments.scheduler).await?,
    };
    for statement in &arguments.statements {
        let frame = context.sql(statement).await?;
        let schema = Arc::clone(frame.schema().inner());
        let batches = frame.collect().await?;
        if !schema.fields().is_empty() {
            println!("{}", pretty_format_batches_with_schema(schema, &batches)?);
        }
    }
    Ok(())
}
