// What Go's strconv and regexp answer, one JSON object a line: the data of
// modules/expr/tests/go.jsonl.
//
//	(cd xtask/oracles/strconv && go run .) > modules/expr/tests/go.jsonl
package main

import (
	"encoding/json"
	"os"
	"regexp"
	"strconv"
)

type vector struct {
	Function string   `json:"function"`
	Text     string   `json:"text"`
	Value    *string  `json:"value,omitempty"`
	Error    string   `json:"error,omitempty"`
	Pattern  *string  `json:"pattern,omitempty"`
	Found    []string `json:"found,omitempty"`
}

var numbers = []string{
	"", " ", "5", "+5", "-5", "--5", "+-5", " 5", "5 ", "05", "+05", "-0", "+0", "0x10", "0b1", "0o7", "1_000", "1__0", "_1", "1_",
	"1e3", "1E3", "1e+3", "1e", "1e+", "e3", ".5", "5.", ".", "+.5", "-.5e1", "1.5", "1,5", "1e400", "-1e400", "1e-400", "1e308",
	"1.7976931348623157e308", "1.7976931348623159e308", "4.9e-324", "2e-324", "inf", "+inf", "-inf", "Inf", "INF", "infinity",
	"-Infinity", "+INFINITY", "infi", "infinit", "nan", "NaN", "NAN", "+nan", "-nan", "nano", "0x1p-2", "0X1P-2", "0x1p", "0x1", "0x1.8p1",
	"0x.8p1", "0x.p1", "0x_1p4", "0x1_0p4", "0x1p1_0", "0x1p1024", "0x1p-1074", "0x1p-1075", "0x1.8p-1074", "0x1p-1100", "-0x1p-2", "+0x1p3",
	"0x1.fffffffffffff8p0", "0x1.fffffffffffff7p0", "0x1.00000000000008p0", "0x1.000000000000081p0", "0x123456789abcdef01p0",
	"0x1p+99999999999", "0x0p99999999999", "1_2.5", "1_000.5e1_0", "1._5", "1_.5",
	"9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809",
	"18446744073709551615", "18446744073709551616", "+18446744073709551615", "٥", "1f", "1d", "t", "T", "true", "TRUE", "True", "tRUE",
	"f", "F", "false", "FALSE", "False", "1", "0", "yes", "on", "y", " true", "true ",
}

func main() {
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	answer := func(function, text, value string, err error) {
		v := vector{Function: function, Text: text}
		if err == nil {
			v.Value = &value
		} else {
			v.Error = err.Error()
		}
		if err := out.Encode(v); err != nil {
			panic(err)
		}
	}
	for _, text := range numbers {
		i, err := strconv.ParseInt(text, 10, 64)
		answer("int", text, strconv.FormatInt(i, 10), err)
		u, err := strconv.ParseUint(text, 10, 64)
		answer("uint", text, strconv.FormatUint(u, 10), err)
		f, err := strconv.ParseFloat(text, 64)
		answer("double", text, strconv.FormatFloat(f, 'g', -1, 64), err)
		b, err := strconv.ParseBool(text)
		answer("bool", text, strconv.FormatBool(b), err)
	}
	for _, pattern := range patterns {
		compiled, err := regexp.Compile(pattern)
		v := vector{Function: "regexp", Pattern: &pattern, Text: subject}
		if err != nil {
			v.Error = err.Error()
		} else {
			v.Found = compiled.FindAllString(subject, -1)
		}
		if err := out.Encode(v); err != nil {
			panic(err)
		}
	}
}
