package croft

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// encode is a value as JSON, as other languages write it: `<` is not escaped.
func encode(value any) (json.RawMessage, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

// decode reads JSON and keeps numbers as they are written.
func decode(source []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(source))
	decoder.UseNumber()
	return decoder.Decode(into)
}

// convert makes one form of a value another, by way of JSON.
func convert(value, into any) error {
	source, err := encode(value)
	if err != nil {
		return err
	}
	return decode(source, into)
}

func copied[T any](value T) (T, error) {
	var into T
	err := convert(value, &into)
	return into, err
}

// toObject is a value as a JSON object. What a Go type has to write and nobody has
// set is left out: an empty struct in a field with `omitempty`, which encoding/json
// writes all the same, and null.
func toObject(value any) (map[string]any, error) {
	var object map[string]any
	if err := convert(value, &object); err != nil {
		return nil, err
	}
	if object == nil {
		return nil, errors.New("it is not an object")
	}
	prune(reflect.ValueOf(value), object)
	return object, nil
}

// prune takes away of the JSON of a Go value what nobody has set. JSON that was made
// without a Go type, by way of maps, is left as it is.
func prune(value reflect.Value, written any) {
	for value.Kind() == reflect.Pointer || value.Kind() == reflect.Interface {
		if value.IsNil() {
			return
		}
		value = value.Elem()
	}
	if !value.IsValid() || marshals(value.Type()) {
		return
	}
	switch written := written.(type) {
	case map[string]any:
		if value.Kind() == reflect.Struct {
			pruneFields(value, written)
		} else if value.Kind() == reflect.Map && value.Type().Key().Kind() == reflect.String {
			for _, key := range value.MapKeys() {
				prune(value.MapIndex(key), written[key.String()])
			}
		}
	case []any:
		for i := 0; value.Kind() == reflect.Slice && i < len(written); i++ {
			prune(value.Index(i), written[i])
		}
	}
}

func pruneFields(value reflect.Value, written map[string]any) {
	for name, field := range jsonFields(value.Type()) {
		inner, err := value.FieldByIndexErr(field.Index)
		if err != nil {
			continue
		}
		empty := inner.Kind() == reflect.Struct && inner.IsZero() && omitsEmpty(field)
		if present, there := written[name]; there && (present == nil || empty) {
			delete(written, name)
			continue
		}
		prune(inner, written[name])
	}
}

func omitsEmpty(field reflect.StructField) bool {
	return slices.Contains(strings.Split(field.Tag.Get("json"), ",")[1:], "omitempty")
}

// jsonFields has the fields of a struct by their name in JSON, those of embedded
// structs too.
func jsonFields(t reflect.Type) map[string]reflect.StructField {
	fields := map[string]reflect.StructField{}
	if t = indirect(t); t.Kind() != reflect.Struct {
		return fields
	}
	for i := range t.NumField() {
		field := t.Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		switch {
		case name == "-" || !field.IsExported() && !field.Anonymous:
		case field.Anonymous && name == "" && indirect(field.Type).Kind() == reflect.Struct:
			for inner, embedded := range jsonFields(field.Type) {
				embedded.Index = append([]int{i}, embedded.Index...)
				if _, own := fields[inner]; !own {
					fields[inner] = embedded
				}
			}
		default:
			if name == "" {
				name = field.Name
			}
			fields[name] = field
		}
	}
	return fields
}

func indirect(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t
}

var (
	jsonMarshaler = reflect.TypeFor[json.Marshaler]()
	textMarshaler = reflect.TypeFor[encoding.TextMarshaler]()
)

// marshals says whether a type writes itself.
func marshals(t reflect.Type) bool {
	for _, writes := range []reflect.Type{jsonMarshaler, textMarshaler} {
		if t.Implements(writes) || reflect.PointerTo(t).Implements(writes) {
			return true
		}
	}
	return false
}

// readStrictly reads JSON as a type, and refuses fields that the type does not have.
func readStrictly(source json.RawMessage, into any, at string) *Halt {
	var value any
	if err := decode(source, &value); err != nil {
		return Fault("%s that the host passed is not JSON: %v", at, err)
	}
	if unknown := unknownField(value, reflect.TypeOf(into), at); unknown != "" {
		name := unknown[strings.LastIndex(unknown, "/")+1:]
		return Invalid(unknown, "the module's configuration has no field `%s`", name).
			Code("UnknownField").Hint("correct its name, or remove it")
	}
	if err := json.Unmarshal(source, into); err != nil {
		return wrongType(err, at)
	}
	return nil
}

// unknownField is the place of the first field that a type does not have.
func unknownField(value any, t reflect.Type, at string) string {
	t = indirect(t)
	if marshals(t) {
		return ""
	}
	switch value := value.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(value)) {
			inner := at + "/" + escaped(name)
			next := reflect.TypeFor[any]()
			if t.Kind() == reflect.Map {
				next = t.Elem()
			} else if t.Kind() == reflect.Struct {
				field, known := jsonFields(t)[name]
				if !known {
					return inner
				}
				next = field.Type
			}
			if unknown := unknownField(value[name], next, inner); unknown != "" {
				return unknown
			}
		}
	case []any:
		for i, element := range value {
			if t.Kind() != reflect.Slice {
				break
			}
			if unknown := unknownField(element, t.Elem(), at+"/"+itoa(i)); unknown != "" {
				return unknown
			}
		}
	}
	return ""
}

// wrongType is an error of encoding/json as a problem with its place.
func wrongType(err error, at string) *Halt {
	var wrong *json.UnmarshalTypeError
	if !errors.As(err, &wrong) {
		return Invalid(at, "%v", err).Code("InvalidValue")
	}
	if wrong.Field != "" {
		at += "/" + strings.ReplaceAll(wrong.Field, ".", "/")
	}
	return Invalid(at, "invalid type: %s, expected %v", wrong.Value, wrong.Type).Code("InvalidValue")
}

func itoa(i int) string {
	text, _ := json.Marshal(i)
	return string(text)
}
