//! A clock for tests with real sockets, independent of the speed of the machine.
//!
//! Tokio's paused clock jumps to the next timer whenever all tasks wait, and to it a task that waits for a socket
//! waits too: with sockets, every timeout passes at once. This clock moves by steps instead. Before each of them the
//! runtime has looked after its sockets and run all tasks that can run. A machine that is busy makes the steps
//! longer, and a second of this clock with them; where all that happens is waiting, it is faster than the real one.

use std::cell::RefCell;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::task::JoinHandle;

/// How far the clock moves in one step.
const STEP: Duration = Duration::from_millis(5);

/// The least real time between two steps, in which bytes that were sent arrive.
const REST: Duration = Duration::from_millis(1);

thread_local! {
    /// Held by the task that moves the clock of the runtime on this thread.
    static GOING: RefCell<Weak<()>> = const { RefCell::new(Weak::new()) };
}

/// Makes the clock of this runtime advance by steps until the runtime ends; a second call changes nothing.
///
/// All of `tokio::time` keeps to it, in the client as in the servers that the test starts. `std::time` does not.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// datagouv_sandbox::clock::by_steps();
/// let (began, really_began) = (tokio::time::Instant::now(), std::time::Instant::now());
/// tokio::time::sleep(std::time::Duration::from_secs(1)).await;
/// assert!(began.elapsed().as_millis() >= 1_000);
/// println!("a second took {:?}", really_began.elapsed());
/// # }
/// ```
///
/// # Panics
///
/// When the runtime has several threads, or its clock was paused before.
pub fn by_steps() {
    let going = GOING.with_borrow(Weak::upgrade);
    if going.is_some() {
        return;
    }
    let going = Arc::new(());
    GOING.set(Arc::downgrade(&going));
    tokio::time::pause();
    // As long as a blocking task is under way, Tokio does not move the clock by itself.
    let mut resting = rest();
    tokio::spawn(async move {
        let _going = going;
        loop {
            let _ = resting.await;
            resting = rest();
            tokio::time::advance(STEP).await;
        }
    });
}

fn rest() -> JoinHandle<()> {
    tokio::task::spawn_blocking(|| std::thread::sleep(REST))
}
