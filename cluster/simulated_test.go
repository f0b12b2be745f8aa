package cluster

import (
	"reflect"
	"strings"
	"testing"

	"blink/graph"
	"blink/operator"
)

func TestRowsOfATargetAreThoseOfItsFileOrFolder(t *testing.T) {
	got := rowsOf(map[string]string{
		"/out/x.csv": "n\n2\n1\n", "/out/y/part-2.csv": "n\n3\n", "/out/y/part-1.csv": "n\n4\n", "/other": "5\n",
	}, []string{"/out/x.csv", "/out/y", "/out/z"})
	want := map[string][]string{"/out/x.csv": {"1", "2", "n"}, "/out/y": {"3", "4", "n", "n"}, "/out/z": nil}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestRowsThatDifferAreNamedByTarget(t *testing.T) {
	want := map[string][]string{"a": {"1"}, "b": {"2"}}
	if err := compareRows(map[string][]string{"a": {"1"}, "b": {"2"}}, want); err != nil {
		t.Error(err)
	}
	for _, got := range []map[string][]string{{"a": {"1"}}, {"a": {"1"}, "b": {"2", "2"}}, {"a": {"1"}, "b": {"3"}}} {
		if err := compareRows(got, want); err == nil || !strings.HasPrefix(err.Error(), "b has") {
			t.Errorf("%v: %v", got, err)
		}
	}
}

func TestASinkThatWritesElsewhereIsNotSimulated(t *testing.T) {
	p := program{"job", func() (*operator.Program, error) {
		return &operator.Program{Job: &graph.Job{Operators: []graph.Operator{{ID: "pay", What: "Bank", Sink: true}}}}, nil
	}}
	if _, err := runSimulated(p, simOptions{}); err == nil || !strings.Contains(err.Error(), `"pay" writes to Bank`) {
		t.Error(err)
	}
}
