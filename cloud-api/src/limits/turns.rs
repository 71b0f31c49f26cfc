//! Limits concurrency per key. Further callers wait for a turn, and are refused if the queue is too long.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A key is stored only while somebody holds a turn of it or waits for one.
pub(crate) struct Turns<K> {
    at_once: usize,
    waiting: usize,
    keys: Arc<Mutex<Keys<K>>>,
}

type Keys<K> = HashMap<K, Queue>;

struct Queue {
    turns: Arc<Semaphore>,
    /// The number of holders and waiters.
    present: usize,
}

/// A turn, given back when it is dropped.
pub(crate) struct Turn<K: Clone + Eq + Hash> {
    // The order of the fields matters: the turn must be given back before the slot.
    _turn: OwnedSemaphorePermit,
    _slot: Slot<K>,
}

/// A slot among the holders and waiters of a key.
struct Slot<K: Clone + Eq + Hash> {
    key: K,
    keys: Arc<Mutex<Keys<K>>>,
}

impl<K: Clone + Eq + Hash> Turns<K> {
    /// Per key, `at_once` callers hold a turn and `waiting` more may wait.
    pub(crate) fn new(at_once: usize, waiting: usize) -> Self {
        Self { at_once, waiting, keys: Arc::default() }
    }

    /// Waits for a turn; `None` at once when too many wait already.
    pub(crate) async fn take(&self, key: K) -> Option<Turn<K>> {
        let (slot, turns) = self.join(key)?;
        let turn = turns.acquire_owned().await.ok()?;
        Some(Turn { _turn: turn, _slot: slot })
    }

    fn join(&self, key: K) -> Option<(Slot<K>, Arc<Semaphore>)> {
        let mut keys = lock(&self.keys);
        let fresh = || Queue { turns: Arc::new(Semaphore::new(self.at_once)), present: 0 };
        let queue = keys.entry(key.clone()).or_insert_with(fresh);
        if queue.present >= self.at_once.saturating_add(self.waiting) {
            return None;
        }
        queue.present += 1;
        let turns = queue.turns.clone();
        Some((Slot { key, keys: self.keys.clone() }, turns))
    }
}

impl<K: Clone + Eq + Hash> Drop for Slot<K> {
    fn drop(&mut self) {
        let mut keys = lock(&self.keys);
        if let Some(queue) = keys.get_mut(&self.key) {
            queue.present -= 1;
            if queue.present == 0 {
                keys.remove(&self.key);
            }
        }
    }
}

fn lock<K>(keys: &Mutex<Keys<K>>) -> MutexGuard<'_, Keys<K>> {
    keys.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[actix_web::test]
    async fn one_holds_one_waits_and_the_next_is_refused() {
        let turns = Turns::new(1, 1);
        let first = turns.take("ada").await.unwrap();
        let mut second = Box::pin(turns.take("ada"));
        assert!(second.as_mut().now_or_never().is_none());
        assert!(turns.take("ada").await.is_none());
        // Another key has turns of its own.
        drop(turns.take("eve").await.unwrap());
        drop(first);
        assert!(second.await.is_some());
        assert!(lock(&turns.keys).is_empty());
    }

    #[actix_web::test]
    async fn who_stops_waiting_leaves_the_queue() {
        let turns = Turns::new(1, 1);
        let first = turns.take("ada").await.unwrap();
        drop(Box::pin(turns.take("ada")).as_mut().now_or_never());
        let mut second = Box::pin(turns.take("ada"));
        assert!(second.as_mut().now_or_never().is_none());
        drop((first, second));
        assert!(lock(&turns.keys).is_empty());
    }
}
