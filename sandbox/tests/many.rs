//! Hundreds of sandboxes in one process: each has a state of its own, and leaves nothing behind.

use datagouv_sandbox::{Sandbox, User};
use serde_json::json;

/// Each opens a port and a connection or two, both ends of them here: under the 1,024 files that many systems allow.
const MANY: usize = 200;

/// One test counts open files: the others must not open some meanwhile.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// Starts a platform, writes to it, and checks that it knows what was written here and nothing else.
async fn use_one(number: usize) {
    let platform = Sandbox::start_platform().await;
    let title = format!("Only in {number}");
    let seeded = platform.dataset(&title).tag(format!("number-{number}")).add();
    let client = platform.client_of(User::Editor);
    let organization = json!({"name": title, "description": "Of one test."});
    let organization = client.main().create_organization().body(organization).send().await.expect("an organization");
    // All of them run while this one waits.
    tokio::task::yield_now().await;

    let datasets = client.main().list_datasets().send().await.expect("datasets");
    let own: Vec<&str> =
        datasets.data.iter().map(|dataset| dataset.title.as_str()).filter(|title| title.starts_with("Only")).collect();
    assert_eq!(own, [title.as_str()]);
    let organizations = client.main().list_organizations().q("Only").send().await.expect("organizations");
    let ids: Vec<&str> = organizations.data.iter().map(|found| found.id.as_str()).collect();
    assert_eq!(ids, [organization.id.as_str()]);
    assert_eq!(client.dataset(&seeded.id).get().await.expect("a dataset").title, title);
    assert_eq!(platform.received().len(), 4);
}

async fn use_many() {
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..MANY {
        tasks.spawn(use_one(number));
    }
    while let Some(used) = tasks.join_next().await {
        used.expect("a sandbox that was used");
    }
}

/// The sockets that this process has open, where the system tells.
fn open_sockets() -> Option<usize> {
    let links = std::fs::read_dir("/proc/self/fd").ok()?;
    let targets = links.filter_map(|link| std::fs::read_link(link.ok()?.path()).ok());
    Some(targets.filter(|target| target.to_string_lossy().starts_with("socket:")).count())
}

/// Waits for the tasks of connections, which end after the sandbox and the client that they belonged to.
async fn until_released(before: Option<usize>) {
    for _ in 0..100_000 {
        if open_sockets() <= before {
            return;
        }
        tokio::task::yield_now().await;
    }
    assert!(open_sockets() <= before, "{:?} sockets are open, {before:?} were before", open_sockets());
}

async fn use_many_and_leave_nothing() {
    let _alone = ALONE.lock().await;
    let before = open_sockets();
    use_many().await;
    until_released(before).await;
}

#[tokio::test(flavor = "current_thread")]
async fn hundreds_of_sandboxes_in_one_thread_do_not_mix_and_leave_no_socket() {
    use_many_and_leave_nothing().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn hundreds_of_sandboxes_in_several_threads_do_not_mix_and_leave_no_socket() {
    use_many_and_leave_nothing().await;
}

#[test]
fn sandboxes_in_runtimes_of_their_own_do_not_mix() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let _alone = runtime().block_on(ALONE.lock());
    let threads: Vec<_> = (0..8)
        .map(|thread| {
            std::thread::spawn(move || {
                let runtime = runtime();
                (0..20).for_each(|number| runtime.block_on(use_one(thread * 20 + number)));
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("sandboxes that do not mix");
    }
}
