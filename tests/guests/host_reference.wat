;; Keeps a reference to an object of the host.
(component
  (core module $keeping
    (table 1 externref))
  (core instance (instantiate $keeping)))
