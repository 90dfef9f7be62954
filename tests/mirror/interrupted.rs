//! Mirrors that are dropped at random places, and run again.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use datagouv::mirror::{Mirror, Orphans};

use super::world::{Folder, Hosted, World, hashed};

/// How many mirrors are interrupted; the environment can set more.
const MIRRORS: u64 = 6;
const FILES: usize = 50;

/// How often each world changes and is mirrored again.
const CHANGES: u64 = 3;

/// Runs a mirror until it has been polled so often; returns whether it ended before.
async fn interrupted(mirror: Mirror, polls: u32) -> bool {
    let mut run = pin!(mirror.run());
    let mut left = polls;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(false);
        }
        left -= 1;
        run.as_mut().poll(context).map(|report| {
            report.unwrap();
            true
        })
    })
    .await
}

fn content(random: &mut fastrand::Rng) -> Vec<u8> {
    let length = if random.u8(..) < 16 { random.usize(..200_000) } else { random.usize(..2_000) };
    let random = std::iter::repeat_with(|| random.u8(..)).take(length);
    b"id;n\n".iter().copied().chain(random).collect()
}

fn file(number: usize, random: &mut fastrand::Rng) -> Hosted {
    // Each tenth has the name of the one before, in another case.
    let name = if number % 10 == 9 { format!("FILE{}.csv", number - 1) } else { format!("file{number}.csv") };
    Hosted {
        dataset: number % 2,
        on_platform: random.bool(),
        tagged: random.u8(..) < 200,
        created: number as u32 % 60,
        ..Hosted::new(&format!("/{}/{name}", random.u64(..)), content(random))
    }
}

/// Changes some of the files.
fn change(world: &World, random: &mut fastrand::Rng) {
    for (number, id) in world.ids().into_iter().enumerate() {
        match random.u8(..20) {
            0 => world.remove(&id),
            1 | 2 => world.change(&id, |file| {
                file.content = content(random);
                // The platform gives a new file a new URL.
                let name = file.path.rsplit('/').next().unwrap().to_owned();
                file.path = format!("/{}/{name}", random.u64(..));
            }),
            3 | 4 => world.change(&id, |file| {
                file.content = content(random);
                file.on_platform = false;
            }),
            5 => world.change(&id, |file| file.path = format!("/{}/renamed{number}.csv", random.u64(..))),
            _ => {}
        }
    }
    for number in 0..random.usize(..4) {
        let id = format!("new{}", random.u64(..));
        world.put(&id, file(100 + number, random));
    }
}

/// The files of a mirror that is never interrupted, at first and after each change.
async fn expected(world: &World, folder: &Folder) -> BTreeMap<String, String> {
    world.client().organization("o").mirror(&folder.0).orphans(Orphans::Remove).concurrency(8).run().await.unwrap();
    folder.hashes()
}

async fn ends_equal(seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let world = World::start().await;
    for number in 0..FILES {
        world.put(&format!("r{number:02}"), file(number, &mut random));
    }
    let (folder, uninterrupted) = (Folder::new(), Folder::new());
    let client = world.client();
    let mirror = || client.organization("o").mirror(&folder.0).orphans(Orphans::Remove).concurrency(4);
    for _ in 0..CHANGES {
        let expected = expected(&world, &uninterrupted).await;
        assert!(expected.len() >= FILES / 2);
        for _ in 0..random.u32(1..5) {
            let polls = random.u32(1..600);
            if interrupted(mirror(), polls).await {
                break;
            }
        }
        let report = mirror().run().await.unwrap();
        let failures: Vec<String> = report.failures().map(|(_, error)| error.to_string()).collect();
        assert!(failures.is_empty(), "seed {seed}: {failures:?}");
        assert_eq!(folder.hashes(), expected, "seed {seed}");
        world.sent();
        let report = mirror().run().await.unwrap();
        assert_eq!(report.to_string(), format!("{} unchanged", expected.len()), "seed {seed}");
        change(&world, &mut random);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupted_mirror_ends_with_the_same_files() {
    let mirrors = std::env::var("DATAGOUV_MIRRORS").ok().and_then(|mirrors| mirrors.parse().ok()).unwrap_or(MIRRORS);
    for seed in 0..mirrors.div_ceil(CHANGES) {
        ends_equal(seed).await;
    }
}

#[tokio::test]
async fn a_mirror_dropped_early_leaves_no_partial_file() {
    for polls in 1..40 {
        let (world, folder) = (World::start().await, Folder::new());
        world.put("a", Hosted::new("/a.csv", "a"));
        interrupted(world.client().dataset("d0").mirror(&folder.0), polls).await;
        let found = folder.hashes();
        let whole = hashed([("a.csv", &b"a"[..])]);
        assert!(found.is_empty() || found == whole, "{found:?} after {polls} polls");
    }
}
