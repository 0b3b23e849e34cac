;; What a module gets for `wasi_snapshot_preview1`, which language runtimes ask
;; for: answers that are the same in every call and on every machine. There is one
;; argument, the program's name, and no environment, no files and no network; what is
;; written to stderr goes to the log as far as it is ASCII, and to stdout nowhere; time
;; begins at 1 and goes on by 1 µs whenever it is read; randomness is a fixed sequence.
;;
;; wit-component takes what a module does not import out of it, and allows it no
;; data and no memory of its own.
(module
  (import "env" "memory" (memory 0))
  (import "croft:composition/log@0.1.0" "log" (func $log (param i32 i32 i32)))

  ;; Nanoseconds, for every clock.
  (global $now (mut i64) (i64.const 1))
  ;; The state of a xorshift64 generator, which must not be 0.
  (global $random (mut i64) (i64.const 0x636f6d706f736572))

  ;; `module`, since programs look at their name without asking whether there is one.
  (func (export "args_sizes_get") (param $count i32) (param $size i32) (result i32)
    (i32.store (local.get $count) (i32.const 1))
    (i32.store (local.get $size) (i32.const 7))
    (i32.const 0))
  (func (export "args_get") (param $arguments i32) (param $text i32) (result i32)
    (i32.store (local.get $arguments) (local.get $text))
    (i32.store (local.get $text) (i32.const 0x75646f6d))
    (i32.store16 offset=4 (local.get $text) (i32.const 0x656c))
    (i32.store8 offset=6 (local.get $text) (i32.const 0))
    (i32.const 0))
  (func (export "environ_get") (param i32 i32) (result i32) (i32.const 0))
  (func (export "environ_sizes_get") (param $count i32) (param $size i32) (result i32)
    (i32.store (local.get $count) (i32.const 0))
    (i32.store (local.get $size) (i32.const 0))
    (i32.const 0))

  (func (export "clock_res_get") (param $clock i32) (param $resolution i32) (result i32)
    (i64.store (local.get $resolution) (i64.const 1000))
    (i32.const 0))
  (func (export "clock_time_get") (param $clock i32) (param $precision i64) (param $time i32) (result i32)
    (i64.store (local.get $time) (global.get $now))
    (global.set $now (i64.add (global.get $now) (i64.const 1000)))
    (i32.const 0))

  ;; Nobody else runs, so that waiting takes no time: the clock is put forward to
  ;; the moment that was waited for. What waits for a file is told that there is none.
  (func (export "poll_oneoff") (param $in i32) (param $out i32) (param $count i32) (param $events i32) (result i32)
    (i32.store (local.get $events) (local.get $count))
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $count)))
        (i64.store (local.get $out) (i64.load (local.get $in)))
        (i64.store offset=8 (local.get $out) (i64.const 0))
        (i64.store offset=16 (local.get $out) (i64.const 0))
        (i64.store offset=24 (local.get $out) (i64.const 0))
        (i32.store8 offset=10 (local.get $out) (i32.load8_u offset=8 (local.get $in)))
        (if (i32.load8_u offset=8 (local.get $in))
          (then (i32.store16 offset=8 (local.get $out) (i32.const 8)))
          (else (call $wait (i64.load offset=24 (local.get $in)) (i32.load16_u offset=40 (local.get $in)))))
        (local.set $in (i32.add (local.get $in) (i32.const 48)))
        (local.set $out (i32.add (local.get $out) (i32.const 32)))
        (local.set $count (i32.sub (local.get $count) (i32.const 1)))
        (br $next)))
    (i32.const 0))
  ;; Until a moment (`$absolute`), or for a while; never back.
  (func $wait (param $until i64) (param $absolute i32)
    (if (i32.eqz (i32.and (local.get $absolute) (i32.const 1)))
      (then (local.set $until (i64.add (local.get $until) (global.get $now)))))
    (if (i64.gt_u (local.get $until) (global.get $now))
      (then (global.set $now (local.get $until)))))

  (func (export "random_get") (param $at i32) (param $size i32) (result i32)
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $size)))
        (global.set $random (i64.xor (global.get $random) (i64.shl (global.get $random) (i64.const 13))))
        (global.set $random (i64.xor (global.get $random) (i64.shr_u (global.get $random) (i64.const 7))))
        (global.set $random (i64.xor (global.get $random) (i64.shl (global.get $random) (i64.const 17))))
        (i32.store8 (local.get $at) (i32.wrap_i64 (global.get $random)))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (local.set $size (i32.sub (local.get $size) (i32.const 1)))
        (br $next)))
    (i32.const 0))

  ;; stdout and stderr take everything; another descriptor is not there. What a
  ;; runtime says before it gives up is found in the log.
  (func (export "fd_write") (param $fd i32) (param $parts i32) (param $count i32) (param $written i32) (result i32)
    (local $sum i32)
    (if (i32.gt_u (i32.sub (local.get $fd) (i32.const 1)) (i32.const 1)) (then (return (i32.const 8))))
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $count)))
        (if (i32.eq (local.get $fd) (i32.const 2))
          (then (call $tell (i32.load (local.get $parts)) (i32.load offset=4 (local.get $parts)))))
        (local.set $sum (i32.add (local.get $sum) (i32.load offset=4 (local.get $parts))))
        (local.set $parts (i32.add (local.get $parts) (i32.const 8)))
        (local.set $count (i32.sub (local.get $count) (i32.const 1)))
        (br $next)))
    (i32.store (local.get $written) (local.get $sum))
    (i32.const 0))

  ;; A part of a line, as a warning: runtimes write in small pieces, of which none is
  ;; the error. A newline by itself says nothing, and what is not ASCII may be half a
  ;; character, which the log would not take.
  (func $tell (param $at i32) (param $size i32)
    (local $byte i32)
    (if (i32.lt_u (local.get $size) (i32.const 2)) (then (return)))
    (local.set $byte (i32.add (local.get $at) (local.get $size)))
    (loop $next
      (local.set $byte (i32.sub (local.get $byte) (i32.const 1)))
      (if (i32.gt_u (i32.load8_u (local.get $byte)) (i32.const 127)) (then (return)))
      (br_if $next (i32.gt_u (local.get $byte) (local.get $at))))
    (call $log (i32.const 1) (local.get $at) (local.get $size)))

  ;; A module that exits has no answer.
  (func (export "proc_exit") (param i32) (unreachable))
  (func (export "proc_raise") (param i32) (result i32) (unreachable))
  (func (export "sched_yield") (result i32) (i32.const 0))

  ;; Not of WASI: how Go bindings of wit-bindgen ask for a clock that they may read
  ;; while memory is allocated. This one always is.
  (func (export "adapter_monotonic_clock_set_paused") (param i32))

  ;; Files, folders and sockets: there is no descriptor (`badf`).
  (func (export "fd_advise") (param i32 i64 i64 i32) (result i32) (i32.const 8))
  (func (export "fd_allocate") (param i32 i64 i64) (result i32) (i32.const 8))
  (func (export "fd_close") (param i32) (result i32) (i32.const 8))
  (func (export "fd_datasync") (param i32) (result i32) (i32.const 8))
  (func (export "fd_fdstat_get") (param i32 i32) (result i32) (i32.const 8))
  (func (export "fd_fdstat_set_flags") (param i32 i32) (result i32) (i32.const 8))
  (func (export "fd_fdstat_set_rights") (param i32 i64 i64) (result i32) (i32.const 8))
  (func (export "fd_filestat_get") (param i32 i32) (result i32) (i32.const 8))
  (func (export "fd_filestat_set_size") (param i32 i64) (result i32) (i32.const 8))
  (func (export "fd_filestat_set_times") (param i32 i64 i64 i32) (result i32) (i32.const 8))
  (func (export "fd_pread") (param i32 i32 i32 i64 i32) (result i32) (i32.const 8))
  (func (export "fd_prestat_dir_name") (param i32 i32 i32) (result i32) (i32.const 8))
  (func (export "fd_prestat_get") (param i32 i32) (result i32) (i32.const 8))
  (func (export "fd_pwrite") (param i32 i32 i32 i64 i32) (result i32) (i32.const 8))
  (func (export "fd_read") (param i32 i32 i32 i32) (result i32) (i32.const 8))
  (func (export "fd_readdir") (param i32 i32 i32 i64 i32) (result i32) (i32.const 8))
  (func (export "fd_renumber") (param i32 i32) (result i32) (i32.const 8))
  (func (export "fd_seek") (param i32 i64 i32 i32) (result i32) (i32.const 8))
  (func (export "fd_sync") (param i32) (result i32) (i32.const 8))
  (func (export "fd_tell") (param i32 i32) (result i32) (i32.const 8))
  (func (export "path_create_directory") (param i32 i32 i32) (result i32) (i32.const 8))
  (func (export "path_filestat_get") (param i32 i32 i32 i32 i32) (result i32) (i32.const 8))
  (func (export "path_filestat_set_times") (param i32 i32 i32 i32 i64 i64 i32) (result i32) (i32.const 8))
  (func (export "path_link") (param i32 i32 i32 i32 i32 i32 i32) (result i32) (i32.const 8))
  (func (export "path_open") (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32) (i32.const 8))
  (func (export "path_readlink") (param i32 i32 i32 i32 i32 i32) (result i32) (i32.const 8))
  (func (export "path_remove_directory") (param i32 i32 i32) (result i32) (i32.const 8))
  (func (export "path_rename") (param i32 i32 i32 i32 i32 i32) (result i32) (i32.const 8))
  (func (export "path_symlink") (param i32 i32 i32 i32 i32) (result i32) (i32.const 8))
  (func (export "path_unlink_file") (param i32 i32 i32) (result i32) (i32.const 8))
  (func (export "sock_accept") (param i32 i32 i32) (result i32) (i32.const 8))
  (func (export "sock_recv") (param i32 i32 i32 i32 i32 i32) (result i32) (i32.const 8))
  (func (export "sock_send") (param i32 i32 i32 i32 i32) (result i32) (i32.const 8))
  (func (export "sock_shutdown") (param i32 i32) (result i32) (i32.const 8)))
