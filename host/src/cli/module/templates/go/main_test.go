package main

import (
	"testing"

	"croft.run/croft/crofttest"
	corev1 "k8s.io/api/core/v1"
)

func said(t *testing.T, spec map[string]any) *crofttest.Trial {
	t.Helper()
	return crofttest.New(t, module, map[string]any{"metadata": map[string]any{"name": "one"}, "spec": spec})
}

func TestTheMessageIsSaidAsOftenAsAsked(t *testing.T) {
	end := said(t, map[string]any{"message": "Hello", "times": 2}).Converge()
	text := crofttest.Child[corev1.ConfigMap](end, "text")
	if text.Data["text"] != "Hello Hello" || end.Status["text"] != "Hello Hello" || !end.IsReady() {
		t.Errorf("the text is %v, the status %v", text.Data, end.Status)
	}
}

func TestAnEmptyMessageIsRefused(t *testing.T) {
	problem := said(t, map[string]any{"message": " ", "times": 1}).Problems()[0]
	if problem.Code != "EmptyMessage" || problem.At != "/spec/message" {
		t.Errorf("it is refused with %v", problem)
	}
}
