;; Cannot start without 1 GiB.
(component
  (core module $greedy (memory 16384))
  (core instance (instantiate $greedy)))
