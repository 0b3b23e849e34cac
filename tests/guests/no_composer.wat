;; Is a component and nothing more.
(component)
