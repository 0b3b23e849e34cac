;; Is no component.
(module
  (func (export "render")))
