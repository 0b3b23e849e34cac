;; Keeps the contract: what every hostile guest is compared with.
;; include parts/begin.wat
;; include parts/prepare.wat
;; include parts/render.wat
;; include parts/end.wat
