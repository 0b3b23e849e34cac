package croft

import "encoding/json"

// Handle stands for an id that was declared. Only the functions below make one, so
// that nothing is stated or waited for that was not declared.
type Handle interface {
	declaration() *declared
}

// Single is a handle of one object: a [Child] or an [External].
type Single[T any] interface {
	Handle
	// Observed is what is there of the object, or nil.
	Observed(cx *Context) (*T, error)
}

// Child is an object that an instance is made of.
type Child[T any] struct{ node *declared }

// NewChild declares an object that instances are made of. Its kind is that of the Go
// type: one of k8s.io/api, or one that implements [Kinded].
func NewChild[T any](plan *Plan, id string) *Child[T] {
	return &Child[T]{declare[T](plan, id, RoleChild)}
}

// NewChildOf declares an object of a kind whose Go type does not say it, such as
// map[string]any.
func NewChildOf[T any](plan *Plan, kind Kind, id string) *Child[T] {
	return &Child[T]{declareOf(plan, kind, id, RoleChild)}
}

func (c *Child[T]) declaration() *declared { return c.node }

// After says that others have to be ready before this one can be stated. This one is
// deleted first.
func (c *Child[T]) After(others ...Handle) *Child[T] { c.node.comesAfter(others); return c }

// ReadyWhen says when an object that is there does what it is for. Without, it is
// enough that it is there. The words complete “waits until …”.
func (c *Child[T]) ReadyWhen(what string, test func(*T) bool) *Child[T] {
	readyWhen(c.node, what, test)
	return c
}

// Set states the object. `apiVersion` and `kind` are those that were declared; it needs
// a name, and without a namespace goes where the instance is.
func (c *Child[T]) Set(cx *Context, object T) {
	c.TrySet(cx, func() (T, error) { return object, nil })
}

// TrySet states an object whose making may have to wait, by itself: where it waits or
// excludes, this child does, and those that were declared after it.
func (c *Child[T]) TrySet(cx *Context, object func() (T, error)) {
	made, err := object()
	state(cx, c.node, []Keyed[T]{{Object: made}}, err)
}

// Exclude says that there should be no object, and which condition says so. One that
// is there is deleted, and what was declared after it too.
func (c *Child[T]) Exclude(cx *Context, format string, args ...any) {
	cx.exclude(c.node, Excluded(format, args...))
}

// Observed is what is there of the object, or nil.
func (c *Child[T]) Observed(cx *Context) (*T, error) { return observedOne[T](cx, c.node) }

// Collection is any number of objects of a kind, told apart by a key.
type Collection[T any] struct{ node *declared }

// Keyed is one object of a collection, with a key that stays the same while it means
// the same: the name of an element, and not its place.
type Keyed[T any] struct {
	Key    string
	Object T
}

// NewCollection declares any number of objects of a kind.
func NewCollection[T any](plan *Plan, id string) *Collection[T] {
	return &Collection[T]{declare[T](plan, id, RoleCollection)}
}

// NewCollectionOf declares any number of objects of a kind whose Go type does not say
// it.
func NewCollectionOf[T any](plan *Plan, kind Kind, id string) *Collection[T] {
	return &Collection[T]{declareOf(plan, kind, id, RoleCollection)}
}

func (c *Collection[T]) declaration() *declared { return c.node }

// After is as that of [Child].
func (c *Collection[T]) After(others ...Handle) *Collection[T] { c.node.comesAfter(others); return c }

// ReadyWhen is as that of [Child], for each object.
func (c *Collection[T]) ReadyWhen(what string, test func(*T) bool) *Collection[T] {
	readyWhen(c.node, what, test)
	return c
}

// Set states all objects of the collection.
func (c *Collection[T]) Set(cx *Context, objects []Keyed[T]) { state(cx, c.node, objects, nil) }

// TrySet states a collection whose making may have to wait, by itself.
func (c *Collection[T]) TrySet(cx *Context, objects func() ([]Keyed[T], error)) {
	made, err := objects()
	state(cx, c.node, made, err)
}

// Exclude is as that of [Child].
func (c *Collection[T]) Exclude(cx *Context, format string, args ...any) {
	cx.exclude(c.node, Excluded(format, args...))
}

// Observed has the objects that are there, by key.
func (c *Collection[T]) Observed(cx *Context) (map[string]*T, error) {
	return observedAll[T](cx, c.node)
}

// External is an object of somebody else, found by its name.
type External[T any] struct{ node *declared }

// NewExternal declares an object of somebody else, which is read by its name.
func NewExternal[T any](plan *Plan, id string) *External[T] {
	return &External[T]{declare[T](plan, id, RoleExternal)}
}

// NewExternalOf declares an object of somebody else, of a kind whose Go type does not
// say it.
func NewExternalOf[T any](plan *Plan, kind Kind, id string) *External[T] {
	return &External[T]{declareOf(plan, kind, id, RoleExternal)}
}

func (e *External[T]) declaration() *declared { return e.node }

// ReadyWhen is as that of [Child].
func (e *External[T]) ReadyWhen(what string, test func(*T) bool) *External[T] {
	readyWhen(e.node, what, test)
	return e
}

// Read reads the object, in the instance's namespace if its kind has any. The first
// render that asks sees nil; the next one sees what was found.
func (e *External[T]) Read(cx *Context, name string) (*T, error) { return e.ReadIn(cx, "", name) }

// ReadIn reads the object in another namespace.
func (e *External[T]) ReadIn(cx *Context, namespace, name string) (*T, error) {
	cx.say(e.node, &said{read: &Selection{Namespace: namespace, Name: name}})
	return e.Observed(cx)
}

// Observed is what a read found, or nil.
func (e *External[T]) Observed(cx *Context) (*T, error) { return observedOne[T](cx, e.node) }

// Exclude says that it is not read.
func (e *External[T]) Exclude(cx *Context, format string, args ...any) {
	cx.exclude(e.node, Excluded(format, args...))
}

// Externals is any number of objects of somebody else, found by their labels.
type Externals[T any] struct{ node *declared }

// NewExternals declares objects of somebody else, which are found by their labels.
func NewExternals[T any](plan *Plan, id string) *Externals[T] {
	return &Externals[T]{declare[T](plan, id, RoleExternalCollection)}
}

// NewExternalsOf declares objects of somebody else, of a kind whose Go type does not
// say it.
func NewExternalsOf[T any](plan *Plan, kind Kind, id string) *Externals[T] {
	return &Externals[T]{declareOf(plan, kind, id, RoleExternalCollection)}
}

func (e *Externals[T]) declaration() *declared { return e.node }

// ReadyWhen is as that of [Child], for each object.
func (e *Externals[T]) ReadyWhen(what string, test func(*T) bool) *Externals[T] {
	readyWhen(e.node, what, test)
	return e
}

// Find finds the objects that match a selector, such as a *metav1.LabelSelector, in the
// instance's namespace if their kind has any; by `namespace/name`, or `name` for kinds
// without namespaces.
func (e *Externals[T]) Find(cx *Context, selector any) (map[string]*T, error) {
	namespace := cx.namespace
	if e.node.kind.Scope == InCluster {
		namespace = ""
	}
	return e.FindIn(cx, namespace, selector)
}

// FindIn finds objects in another namespace; an empty one stands for all.
func (e *Externals[T]) FindIn(cx *Context, namespace string, selector any) (map[string]*T, error) {
	labels, err := encode(selector)
	if err != nil {
		return nil, Fault("the selector of `%s`: %v", e.node.id, err)
	}
	cx.say(e.node, &said{read: &Selection{Namespace: namespace, Selector: labels}})
	return observedAll[T](cx, e.node)
}

// Exclude says that they are not read.
func (e *Externals[T]) Exclude(cx *Context, format string, args ...any) {
	cx.exclude(e.node, Excluded(format, args...))
}

func (d *declared) comesAfter(others []Handle) {
	for _, other := range others {
		d.after = append(d.after, other.declaration())
	}
}

func readyWhen[T any](node *declared, what string, test func(*T) bool) {
	node.what = what
	node.ready = func(object json.RawMessage) (bool, error) {
		var typed T
		if err := json.Unmarshal(object, &typed); err != nil {
			return false, err
		}
		return test(&typed), nil
	}
}
