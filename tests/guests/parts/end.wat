    ;; The shell of every guest, second half: ends the core module and lifts what
    ;; it exports.
    (export "prepare" (func $prepare))
    (export "render" (func $render)))
  (core instance $guest (instantiate $guest_module
    (with "heap" (instance $heap))
    (with "host" (instance $host))))
;; include parts/exports.wat
