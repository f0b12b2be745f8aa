package exec

import (
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"slices"
	"testing"
)

// The lists that coverage rests on name every type that a step takes or returns.
func TestEventsAndActionsAreListed(t *testing.T) {
	var events, actions []string
	for _, e := range Events() {
		events = append(events, reflect.TypeOf(e).Name())
	}
	for _, a := range Actions() {
		actions = append(actions, reflect.TypeOf(a).Name())
	}
	for _, c := range []struct {
		file   string
		listed []string
	}{{"event.go", events}, {"action.go", actions}} {
		if declared := firstTypes(t, c.file); !slices.Equal(slices.Sorted(slices.Values(c.listed)), declared) {
			t.Errorf("%s declares %v, and %v are listed", c.file, declared, c.listed)
		}
	}
}

// firstTypes are, ascending, the types of the file's first group of them.
func firstTypes(t *testing.T, file string) []string {
	t.Helper()
	tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range tree.Decls {
		if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.TYPE && g.Lparen.IsValid() {
			var names []string
			for _, s := range g.Specs {
				names = append(names, s.(*ast.TypeSpec).Name.Name)
			}
			return slices.Sorted(slices.Values(names))
		}
	}
	t.Fatalf("%s declares no group of types", file)
	return nil
}
