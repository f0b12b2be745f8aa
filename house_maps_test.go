package blink_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/build"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

// repeatable are the packages whose every step must be the same in two runs of a seed, so
// that the order of a map may reach nothing.
var repeatable = slices.Concat(pure, actorCode, []string{"actors", "sim", "sim/world"})

// exportData maps import paths to what the compiler knows of them.
type exportData map[string]string

// listExports asks the go command for the packages and all that they import. A package that
// does not compile is an error.
func listExports(packages ...string) (exportData, error) {
	command := exec.Command("go", append([]string{"list", "-export", "-deps", "-f", "{{.ImportPath}}\t{{.Export}}"}, packages...)...)
	var complaint bytes.Buffer
	command.Stderr = &complaint
	out, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, complaint.Bytes())
	}
	data := exportData{}
	for line := range strings.Lines(string(out)) {
		name, file, _ := strings.Cut(strings.TrimSpace(line), "\t")
		data[name] = file
	}
	return data, nil
}

func (d exportData) open(name string) (io.ReadCloser, error) {
	file, known := d[name]
	if !known || file == "" {
		return nil, fmt.Errorf("no export data of %s", name)
	}
	return os.Open(file)
}

// check finds the types of one package's files.
func (d exportData) check(files []goFile) (*types.Info, error) {
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}}
	trees := make([]*ast.File, len(files))
	for i, f := range files {
		trees[i] = f.tree
	}
	config := types.Config{Importer: importer.ForCompiler(sources, "gc", d.open), GoVersion: "go1.27"}
	_, err := config.Check(path.Join(module, files[0].folder()), sources, trees, info)
	return info, err
}

// ordered is the rule of maps: a loop over one, or over maps.Keys, Values or All, says in a
// comment beside or above it why any order will do. What a function sorts needs none:
// slices.Sorted around the keys, or a call that sorts behind the loop.
func ordered(f goFile, info *types.Info) (problems []string) {
	said := map[int]bool{}
	for _, group := range f.tree.Comments {
		if strings.Contains(group.Text(), "order") {
			said[sources.Position(group.End()).Line] = true
		}
	}
	lastSort := token.NoPos // of the function we are in
	report := func(n ast.Node) {
		if line := sources.Position(n.Pos()).Line; n.Pos() > lastSort && !said[line] && !said[line-1] {
			problems = append(problems, f.problem(n.Pos(), "the order of a map may matter here: sort, or say why any order will do"))
		}
	}
	sorted := map[ast.Node]bool{}
	ast.Inspect(f.tree, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			lastSort = lastCallThatSorts(n, info)
		case *ast.RangeStmt:
			if t := info.TypeOf(n.X); t != nil && isMap(t) {
				report(n)
			}
		case *ast.CallExpr:
			called := calledFunction(n, info)
			if strings.HasPrefix(called, "slices.Sorted") {
				sorted[n.Args[0]] = true
			}
			if (called == "maps.Keys" || called == "maps.Values" || called == "maps.All") && !sorted[n] {
				report(n)
			}
		}
		return true
	})
	return problems
}

// lastCallThatSorts is the place of the last call of slices.Sort or package sort in a function.
func lastCallThatSorts(fn *ast.FuncDecl, info *types.Info) token.Pos {
	last := token.NoPos
	ast.Inspect(fn, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			called := calledFunction(call, info)
			if strings.HasPrefix(called, "sort.") || strings.HasPrefix(called, "slices.Sort") && !strings.HasPrefix(called, "slices.Sorted") {
				last = call.Pos()
			}
		}
		return true
	})
	return last
}

func isMap(t types.Type) bool {
	_, yes := t.Underlying().(*types.Map)
	return yes
}

// calledFunction is "package.Function" of a call of a package's function, or empty.
func calledFunction(call *ast.CallExpr, info *types.Info) string {
	selector, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	if fn, ok := info.Uses[selector.Sel].(*types.Func); ok && fn.Pkg() != nil {
		return fn.Pkg().Path() + "." + fn.Name()
	}
	return ""
}

func TestTheOrderOfMapsReachesNothing(t *testing.T) {
	folders := map[string][]goFile{}
	for _, f := range need(goFiles())(t) {
		built := need(build.Default.MatchFile(f.folder(), path.Base(f.path)))(t)
		if built && within(repeatable, f.folder()) && !f.test() {
			folders[f.folder()] = append(folders[f.folder()], f)
		}
	}
	var packages []string
	for folder := range folders {
		packages = append(packages, "./"+folder)
	}
	if len(packages) == 0 {
		t.Fatal("no package to look at")
	}
	data := need(listExports(packages...))(t)
	for _, files := range folders {
		info := need(data.check(files))(t)
		for _, f := range files {
			for _, problem := range ordered(f, info) {
				t.Error(problem)
			}
		}
	}
}

func TestTheRuleOfMapsFindsLoopsInAnyOrder(t *testing.T) {
	data := need(listExports("maps", "slices"))(t)
	for _, s := range []ruleSample{
		{"a map", "x.go", "package x\nfunc f(m map[int]int) { for range m {} }", "order of a map"},
		{"a named map", "x.go", "package x\ntype M map[int]int\ntype T struct{ m M }\nfunc f(t T) { for range t.m {} }", "order of a map"},
		{"a slice", "x.go", "package x\nfunc f(m []int) { for range m {} }", ""},
		{"explained", "x.go", "package x\nfunc f(m map[int]int) {\n\t// any order: a sum\n\tfor range m {\n\t}\n}", ""},
		{"explained otherwise", "x.go", "package x\nfunc f(m map[int]int) {\n\t// a sum\n\tfor range m {\n\t}\n}", "order of a map"},
		{"sorted behind", "x.go", "package x\nimport \"slices\"\nfunc f(m map[int]int) (a []int) {\n\tfor k := range m {\n\t\ta = append(a, k)\n\t}\n\tslices.Sort(a)\n\treturn a\n}", ""},
		{"sorted before", "x.go", "package x\nimport \"slices\"\nfunc f(m map[int]int, a []int) []int {\n\tslices.Sort(a)\n\tfor k := range m {\n\t\ta = append(a, k)\n\t}\n\treturn a\n}", "order of a map"},
		{"keys", "x.go", "package x\nimport \"maps\"\nfunc f(m map[int]int) { for range maps.Keys(m) {} }", "order of a map"},
		{"collected", "x.go", "package x\nimport (\"maps\"; \"slices\")\nfunc f(m map[int]int) []int { return slices.Collect(maps.Keys(m)) }", "order of a map"},
		{"sorted", "x.go", "package x\nimport (\"maps\"; \"slices\")\nfunc f(m map[int]int) []int { return slices.Sorted(maps.Keys(m)) }", ""},
	} {
		t.Run(s.name, func(t *testing.T) {
			f := need(parseGo(s.path, s.text))(t)
			wantProblem(t, ordered(f, need(data.check([]goFile{f}))(t)), s.want)
		})
	}
}
