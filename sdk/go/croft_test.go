package croft_test

import (
	"encoding/json"
	"strings"
	"testing"

	"croft.run/croft"
	"croft.run/croft/crofttest"
)

// A shop: pages that its owner lists, an app that a controller starts, a banner of
// somebody else, and a theme that is found by its label.
type Shop struct {
	Metadata map[string]any `json:"metadata,omitempty"`
	Spec     ShopSpec       `json:"spec"`
	Status   ShopStatus     `json:"status,omitempty"`
}

type ShopSpec struct {
	Pages  []Page `json:"pages,omitempty"`
	Copies int32  `json:"copies,omitempty"`
	Style  *Style `json:"style,omitempty"`
	Closed bool   `json:"closed,omitempty"`
}

type Page struct {
	Slug  string `json:"slug"`
	Title string `json:"title,omitempty"`
}

type Style struct {
	Width int32  `json:"width,omitempty"`
	Color string `json:"color,omitempty"`
}

type ShopStatus struct {
	Pages int    `json:"pages"`
	Color string `json:"color,omitempty"`
}

const shopCRD = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: shops.example.org, annotations: {made: by a tool}}
spec:
  group: example.org
  names: {kind: Shop, plural: shops, singular: shop}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              pages:
                type: array
                items:
                  type: object
                  required: [slug]
                  properties: {slug: {type: string}, title: {type: string, default: Untitled}}
              copies: {type: integer, default: 3}
              style:
                type: object
                default: {}
                properties: {width: {type: integer, default: 3}, color: {type: string}}
              closed: {type: boolean}
          status:
            type: object
            properties: {pages: {type: integer}, color: {type: string}}
`

type configMap struct {
	APIVersion string            `json:"apiVersion,omitempty"`
	Kind       string            `json:"kind,omitempty"`
	Metadata   metadata          `json:"metadata,omitempty"`
	Data       map[string]string `json:"data,omitempty"`
	Status     appStatus         `json:"status,omitempty"`
}

type metadata struct {
	Name      string            `json:"name,omitempty"`
	Namespace string            `json:"namespace,omitempty"`
	UID       string            `json:"uid,omitempty"`
	Labels    map[string]string `json:"labels"`
}

type appStatus struct {
	Available int `json:"available,omitempty"`
}

func (configMap) CroftKind() croft.Kind { return croft.Namespaced("v1", "ConfigMap") }

type config struct {
	Prefix string `json:"prefix"`
	Nested *Page  `json:"nested"`
}

var shops = croft.Composition[Shop]{CRD: []byte(shopCRD), Declare: func(plan *croft.Plan) (croft.Render[Shop], error) {
	config, err := croft.Config[config](plan)
	if err != nil {
		return nil, err
	}
	if config.Nested != nil {
		plan.Warn("spec.config.nested", "it is not read yet")
	}
	// Declared before what it comes after.
	route := croft.NewChildOf[map[string]any](plan, croft.Namespaced("gateway.networking.k8s.io/v1", "HTTPRoute"), "route")
	banners := croft.NewExternal[configMap](plan, "banners").
		ReadyWhen("it is on", func(banner *configMap) bool { return banner.Data != nil })
	themes := croft.NewExternals[configMap](plan, "themes")
	pages := croft.NewCollection[configMap](plan, "pages")
	app := croft.NewChildOf[configMap](plan, croft.Namespaced("apps/v1", "Deployment"), "app").After(pages, banners).
		ReadyWhen("a copy runs", func(app *configMap) bool { return app.Status.Available > 0 })
	key := croft.NewChildOf[configMap](plan, croft.Namespaced("v1", "Secret"), "key").After(app)
	route.After(key, key)

	return func(shop *Shop, cx *croft.Context) error {
		if _, err := banners.Read(cx, "banner"); err != nil {
			return err
		}
		found, err := themes.Find(cx, map[string]any{"matchLabels": map[string]string{"kind": "theme"}})
		if err != nil {
			return err
		}
		status := ShopStatus{Pages: len(shop.Spec.Pages)}
		for _, theme := range found {
			status.Color = theme.Data["color"]
		}
		cx.Status(status)
		cx.Condition("Open", map[bool]croft.ConditionStatus{true: croft.False, false: croft.True}[shop.Spec.Closed], "Asked", "")
		var all []croft.Keyed[configMap]
		for _, page := range shop.Spec.Pages {
			if strings.Contains(page.Slug, "/") {
				cx.Refuse(croft.Invalid("spec.pages", "`%s` has a slash", page.Slug).Hint("leave it out"))
			}
			all = append(all, croft.Keyed[configMap]{Key: page.Slug, Object: configMap{
				Metadata: metadata{Name: config.Prefix + page.Slug}, Data: map[string]string{"title": page.Title}}})
		}
		pages.Set(cx, all)
		if shop.Spec.Closed {
			app.Exclude(cx, "`spec.closed` is true")
		} else {
			app.Set(cx, configMap{Metadata: metadata{Name: "app"}})
		}
		key.Set(cx, configMap{Metadata: metadata{Name: "key"}})
		uid, err := croft.Wait(cx, key, "metadata.uid", func(key *configMap) string { return key.Metadata.UID })
		if err != nil {
			return err
		}
		route.Set(cx, map[string]any{"metadata": map[string]any{"name": "route"}, "spec": map[string]any{"key": uid, "none": nil}})
		return nil
	}, nil
}}

func shop(slugs ...string) Shop {
	shop := Shop{Metadata: map[string]any{"name": "shop"}}
	for _, slug := range slugs {
		shop.Spec.Pages = append(shop.Spec.Pages, Page{Slug: slug})
	}
	return shop
}

func banner() configMap {
	return configMap{Metadata: metadata{Name: "banner"}, Data: map[string]string{"a": "b"}}
}

func TestTheGraphFollowsFromWhatIsDeclared(t *testing.T) {
	blueprint := crofttest.New(t, shops, shop()).Blueprint()
	var order []string
	for _, node := range blueprint.Nodes {
		order = append(order, node.ID+"<"+strings.Join(node.DependsOn, ","))
	}
	if got := strings.Join(order, " "); got != "pages< banners< app<pages,banners key<app route<key themes<" {
		t.Error(got)
	}
	var kinds []string
	for _, used := range blueprint.Kinds {
		kinds = append(kinds, used.Kind.String()+map[croft.Access]string{croft.Manage: "!", croft.Read: "?"}[used.Access])
	}
	if got := strings.Join(kinds, " "); got != "ConfigMap! ConfigMap? Deployment.apps! Secret! HTTPRoute.gateway.networking.k8s.io!" {
		t.Error(got)
	}
	var crd struct {
		Metadata map[string]any
		Spec     struct {
			Names    map[string]string
			Versions []struct{ AdditionalPrinterColumns []any }
		}
	}
	if err := json.Unmarshal(blueprint.API.CRD, &crd); err != nil {
		t.Fatal(err)
	}
	if len(crd.Metadata) != 1 || crd.Spec.Names["listKind"] != "ShopList" || len(crd.Spec.Versions[0].AdditionalPrinterColumns) != 3 {
		t.Errorf("%s", blueprint.API.CRD)
	}
}

func TestEverythingComesInItsOrder(t *testing.T) {
	trial := crofttest.New(t, shops, shop("a", "b"))
	waiting := trial.Converge()
	if got := waiting.BlockedOn("app"); got != "waits for `banners` to be ready" {
		t.Error(got)
	}
	if got := crofttest.Children[configMap](waiting, "pages")["a"].Data["title"]; got != "Untitled" {
		t.Error(got)
	}
	trial.Find("banners", banner())
	started := trial.Converge()
	if got := started.BlockedOn("key"); got != "waits for `app` to be ready" {
		t.Error(got)
	}
	crofttest.Update(trial, "app", func(app *configMap) { app.Status.Available = 1 })
	end := trial.Converge()
	route := crofttest.Child[map[string]any](end, "route")
	if route["kind"] != "HTTPRoute" || !end.IsReady() {
		t.Errorf("%v", route)
	}
	spec := route["spec"].(map[string]any)
	if _, kept := spec["none"]; spec["key"] != "uid-of-key" || !kept {
		t.Errorf("null in an object without a Go type is meant: %v", spec)
	}
	for _, child := range end.Children {
		if child.ID == "app" && string(child.Manifest) != `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"app"}}` {
			t.Errorf("what nobody has set is left out: %s", child.Manifest)
		}
	}
}

func TestWhatDependsOnSomethingExcludedIsExcludedToo(t *testing.T) {
	closed := shop("a")
	closed.Spec.Closed = true
	trial := crofttest.New(t, shops, closed)
	trial.Find("banners", banner())
	end := trial.Converge()
	for id, expected := range map[string]string{"app": "`spec.closed` is true", "key": "`app` is excluded", "route": "`key` is excluded"} {
		if got := end.ExcludedBecause(id); got != expected {
			t.Errorf("%s: %q", id, got)
		}
	}
	if end.Conditions[0].Status != croft.False {
		t.Errorf("%v", end.Conditions)
	}
}

func TestExternalReadsFindByNameAndByLabel(t *testing.T) {
	trial := crofttest.New(t, shops, shop())
	trial.Find("themes", configMap{Metadata: metadata{Name: "blue", Namespace: "default"}, Data: map[string]string{"color": "blue"}})
	end := trial.Converge()
	if end.Status["color"] != "blue" {
		t.Errorf("%v", end.Status)
	}
	for _, read := range end.Reads {
		if read.ID == "themes" && (read.Select.Namespace != "default" || string(read.Select.Selector) != `{"matchLabels":{"kind":"theme"}}`) {
			t.Errorf("%v", read)
		}
	}
}

func TestDefaultsAreThoseOfTheSchema(t *testing.T) {
	for _, case_ := range []struct {
		spec     map[string]any
		expected string
	}{
		{map[string]any{}, `{"copies":3,"style":{}}`},
		{map[string]any{"copies": 5, "style": map[string]any{}}, `{"copies":3,"style":{"width":3}}`},
		{map[string]any{"style": map[string]any{"color": "red"}}, `{"copies":3,"style":{"width":3}}`},
	} {
		rendered, err := crofttest.New(t, shops, map[string]any{"metadata": map[string]any{"name": "s"}, "spec": case_.spec}).Render()
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := json.Marshal(rendered.Defaults); string(got) != case_.expected {
			t.Errorf("%v: %s", case_.spec, got)
		}
	}
}

func TestWhatIsWrongWithAnInstanceIsSaidAtOnceAndWithItsPlace(t *testing.T) {
	problems := crofttest.New(t, shops, shop("a/b", "c/d", "e", "e")).Problems()
	var messages []string
	for _, problem := range problems {
		messages = append(messages, problem.Message)
	}
	if got := strings.Join(messages, "; "); got != "`a/b` has a slash; `c/d` has a slash; two objects of `pages` have the key `e`" {
		t.Error(got)
	}
	for _, case_ := range []struct {
		spec     any
		code, at string
	}{
		{map[string]any{"copies": "3"}, "InvalidValue", "/spec/copies"},
		{map[string]any{"copies": 3.5}, "InvalidValue", "/spec/copies"},
		{map[string]any{"pages": []any{map[string]any{"slug": "a"}, map[string]any{}}}, "MissingField", "/spec/pages/1"},
		{map[string]any{"style": map[string]any{"width": true}}, "InvalidValue", "/spec/style/width"},
		{[]any{}, "InvalidValue", "/spec"},
		{map[string]any{"copies": 3000000000}, "InvalidValue", "/spec/copies"},
	} {
		problem := crofttest.New(t, shops, map[string]any{"metadata": map[string]any{"name": "s"}, "spec": case_.spec}).Problems()[0]
		if problem.Code != case_.code || problem.At != case_.at || !strings.Contains(problem.Hint, "kubectl explain shops") {
			t.Errorf("%v: %v %s, %s", case_.spec, problem, problem.Code, problem.Hint)
		}
	}
}

func TestAConfigurationIsATypeAndIsRefusedWithItsPlace(t *testing.T) {
	trial := crofttest.WithConfig(t, shops, map[string]any{"prefix": "my-"}, shop("a"))
	if got := crofttest.Children[configMap](trial.Converge(), "pages")["a"].Metadata.Name; got != "my-a" {
		t.Error(got)
	}
	for _, case_ := range []struct {
		config   any
		code, at string
	}{
		{map[string]any{"prefx": ""}, "UnknownField", "/spec/config/prefx"},
		{map[string]any{"nested": map[string]any{"slug": "a", "a/b": 1}}, "UnknownField", "/spec/config/nested/a~1b"},
		{map[string]any{"prefix": 3}, "InvalidValue", "/spec/config/prefix"},
		{"text", "InvalidValue", "/spec/config"},
	} {
		_, err := shops.Prepare(crofttest.Definition(t, case_.config))
		problem := crofttest.Problems(t, err)[0]
		if problem.Code != case_.code || problem.At != case_.at {
			t.Errorf("%v: %v, %s", case_.config, problem, problem.Code)
		}
	}
	prepared, err := shops.Prepare(crofttest.Definition(t, map[string]any{"nested": map[string]any{"slug": "a"}}))
	if err != nil || prepared.Warnings[0].Severity != croft.Warning || prepared.Warnings[0].At != "/spec/config/nested" {
		t.Errorf("%v, %v", prepared, err)
	}
}

func TestADefinitionOfAnotherKindIsRefusedWithAHint(t *testing.T) {
	for definition, expected := range map[string]string{
		`{"apiVersion":"v1","kind":"ConfigMap"}`: "/kind the module does not read definitions of this kind",
		`{"apiVersion":"kro.run/v1alpha1","kind":"ResourceGroup","spec":{"schema":{"kind":"Shed","apiVersion":"v1"}}}`: "/spec/schema/kind the module serves the kind `Shop`, the definition has \"Shed\"",
		`{"apiVersion":"kro.run/v1alpha1","kind":"ResourceGraphDefinition","spec":{"schema":{"kind":"Shop"}}}`:         "/spec/schema/apiVersion the module serves the apiVersion `v1`, the definition has null",
	} {
		_, err := shops.Prepare([]byte(definition))
		problem := crofttest.Problems(t, err)[0]
		if got := problem.At + " " + problem.Message; got != expected {
			t.Errorf("%s", got)
		}
	}
}
