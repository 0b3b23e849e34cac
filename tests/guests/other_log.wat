;; Imports a log of a version that does not exist.
(component
  (import "croft:composition/log@0.2.0" (instance)))
