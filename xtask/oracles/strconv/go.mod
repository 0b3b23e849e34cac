module croft/oracles/strconv

go 1.26
