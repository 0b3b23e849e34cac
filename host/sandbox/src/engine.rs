//! The one place where wasmtime is configured, and the clock behind deadlines.
//!
//! It knows nothing of modules or of the contract.

use std::{
    sync::{Condvar, Mutex, PoisonError, mpsc},
    thread,
    time::Duration,
};

use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig, wasmparser::WasmFeatures,
};

use super::{error::Error, limits::Limits, proposals};

/// 50 ms: a deadline counts seconds, and twenty wake-ups a second cost nothing
/// that can be measured.
const TICK: Duration = Duration::from_millis(50);

/// Memories and tables that one component may define. One module and the stub
/// adapters of language runtimes share one memory; four leave room.
const MEMORIES: u32 = 4;
const TABLES: u32 = 8;

/// Core instances that one component may create. A Rust module has three,
/// an embedded Python with its libraries about thirty.
pub(super) const INSTANCES: u32 = 64;

/// Bytes of a memory that stay mapped between two calls and are written back
/// by hand, instead of page by page when they are touched again: what most
/// renders dirty. It takes a third off a small render where the kernel says
/// which pages are dirty (Linux 6.7). An older one has us write all of them,
/// which pays for a tenth.
const KEEP_RESIDENT: usize = 2 << 20;
const KEEP_RESIDENT_BLINDLY: usize = 200 << 10;
const KEEP_TABLE_RESIDENT: usize = 64 << 10;

/// Makes the engine that every module of a sandbox shares.
pub(super) fn engine(limits: &Limits) -> Result<Engine, Error> {
    let mut config = Config::new();
    meters(&mut config, limits);
    language(&mut config);
    config
        .cranelift_opt_level(OptLevel::Speed)
        .memory_init_cow(true)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool(limits)));
    Engine::new(&config).map_err(|source| Error::Engine { source })
}

/// Both clocks: fuel decides, epochs are the safety net.
fn meters(config: &mut Config, limits: &Limits) {
    config.consume_fuel(true).epoch_interruption(true).max_wasm_stack(limits.stack);
}

/// Only what `proposals` lists, and nothing that may differ between machines.
fn language(config: &mut Config) {
    config
        .cranelift_nan_canonicalization(true)
        .wasm_features(WasmFeatures::all().difference(proposals::SUPPORTED), false)
        .wasm_features(proposals::SUPPORTED, true);
}

/// Slots that are mapped once and reset between calls: a fresh instance takes
/// half the time that it takes with new mappings for each call.
fn pool(limits: &Limits) -> PoolingAllocationConfig {
    let calls = limits.calls();
    let scan = PoolingAllocationConfig::is_pagemap_scan_available();
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(calls)
        .total_core_instances(calls * INSTANCES)
        .total_memories(calls * MEMORIES)
        .total_tables(calls * TABLES)
        .max_core_instances_per_component(INSTANCES)
        .max_memories_per_component(MEMORIES)
        .max_tables_per_component(TABLES)
        .max_tables_per_module(TABLES)
        .max_memory_size(limits.memory)
        .table_elements(limits.table_elements)
        .linear_memory_keep_resident(if scan { KEEP_RESIDENT } else { KEEP_RESIDENT_BLINDLY })
        .table_keep_resident(KEEP_TABLE_RESIDENT)
        .pagemap_scan(Enabled::Auto)
        // Slots that remember their module start it without new mappings.
        .max_unused_warm_slots(calls);
    pool
}

/// Advances the engine's epoch from a thread of its own, which ends when this
/// is dropped.
pub(super) struct Ticker {
    /// Never sent to: the thread ends when it is gone.
    _alive: mpsc::Sender<()>,
}

impl Ticker {
    pub(super) fn start(engine: Engine) -> Result<Ticker, Error> {
        let (alive, ended) = mpsc::channel();
        let tick = move || {
            while ended.recv_timeout(TICK) == Err(mpsc::RecvTimeoutError::Timeout) {
                engine.increment_epoch();
            }
        };
        thread::Builder::new().name("croft-epoch".to_owned()).spawn(tick).map_err(|source| Error::Thread { source })?;
        Ok(Ticker { _alive: alive })
    }

    /// How many ticks are surely as long as `time`.
    pub(super) fn ticks(time: Duration) -> u64 {
        let ticks = time.as_nanos().div_ceil(TICK.as_nanos());
        // The first tick may come at once.
        u64::try_from(ticks).unwrap_or(u64::MAX / 2).saturating_add(1)
    }
}

/// Lets as many calls of one kind in as the pool has slots for; others wait.
pub(super) struct Gate {
    free: Mutex<u32>,
    freed: Condvar,
}

impl Gate {
    pub(super) fn new(places: u32) -> Gate {
        Gate { free: Mutex::new(places), freed: Condvar::new() }
    }

    /// Waits for a place and takes it. A counter is whole even when a thread
    /// panicked beside it, hence no poisoning.
    pub(super) fn enter(&self) -> Place<'_> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let mut free = self.freed.wait_while(free, |free| *free == 0).unwrap_or_else(PoisonError::into_inner);
        *free -= 1;
        Place { gate: self }
    }
}

/// A place taken in a [`Gate`], given back when dropped.
pub(super) struct Place<'a> {
    gate: &'a Gate,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        *self.gate.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.gate.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn the_clock_ticks_while_it_is_kept_and_its_thread_ends_with_it() {
        let engine = engine(&Limits::default()).unwrap();
        let weak = engine.weak();
        let ticker = Ticker::start(engine).unwrap();
        assert!(weak.upgrade().is_some());
        drop(ticker);
        let patience = Instant::now() + Duration::from_secs(10);
        while weak.upgrade().is_some() {
            assert!(Instant::now() < patience, "the thread still holds the engine");
            thread::yield_now();
        }
    }

    #[test]
    fn a_deadline_is_never_cut_short_by_a_tick() {
        assert_eq!(Ticker::ticks(Duration::ZERO), 1);
        assert_eq!(Ticker::ticks(TICK), 2);
        assert_eq!(Ticker::ticks(TICK + Duration::from_nanos(1)), 3);
        assert!(Ticker::ticks(Duration::MAX) > u64::from(u32::MAX));
    }
}
