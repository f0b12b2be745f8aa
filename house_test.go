package blink_test

import (
	"go/ast"
	"go/format"
	"go/token"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// longest is the number of lines at which a file holds more than one idea.
const longest = 900

// substance is the least length of a package comment that can teach anything.
const substance = 150

// startReading is the sentence of a package comment that says where the loop is.
var startReading = regexp.MustCompile(`(?i)\bstart\s+reading\s+(?:at|with)\s+([\w./]*\w)`)

// teaches is the rule of package comments: each package has one, in doc.go, and it names
// a file or a declaration to read first. files are those of one folder.
func teaches(files []goFile) []string {
	var doc *goFile
	declared := map[string]bool{}
	production := false
	for i, f := range files {
		if f.test() {
			continue
		}
		production = true
		declare(f, declared)
		if strings.HasSuffix("/"+f.path, "/doc.go") {
			doc = &files[i]
		}
	}
	if !production {
		return nil
	}
	if doc == nil || doc.tree.Doc == nil {
		return []string{files[0].folder() + ": no doc.go with a package comment"}
	}
	comment := doc.tree.Doc.Text()
	if len(comment) < substance {
		return []string{doc.problem(doc.tree.Doc.Pos(), "a package comment of %d characters teaches nobody", len(comment))}
	}
	where := startReading.FindStringSubmatch(comment)
	if where == nil {
		return []string{doc.problem(doc.tree.Doc.Pos(), `the package comment does not say "Start reading at …"`)}
	}
	if last := where[1][strings.LastIndexAny(where[1], "./")+1:]; !declared[where[1]] && !declared[last] && !fileExists(doc.folder()+"/"+where[1]) {
		return []string{doc.problem(doc.tree.Doc.Pos(), "start reading at %s: there is no such thing here", where[1])}
	}
	return nil
}

// declare adds the names that a file declares, methods and fields without their type.
func declare(f goFile, names map[string]bool) {
	for _, d := range f.tree.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			names[d.Name.Name] = true
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					names[spec.Name.Name] = true
				case *ast.ValueSpec:
					for _, name := range spec.Names {
						names[name.Name] = true
					}
				}
			}
		}
	}
	names[f.path[strings.LastIndex(f.path, "/")+1:]] = true
}

// selfEvident methods have their contract in the standard library.
var selfEvident = map[string]bool{"String": true, "Error": true, "Unwrap": true, "Len": true, "Less": true, "Swap": true}

// commented is the rule of exported names. One comment serves a run of declarations that
// follow each other without an empty line.
func commented(f goFile) (problems []string) {
	if f.test() || f.generated() {
		return nil
	}
	served := -1 // the line after the last declaration that a comment serves
	for _, d := range f.tree.Decls {
		begin, end := sources.Position(d.Pos()).Line, sources.Position(d.End()).Line
		has := begin == served
		switch d := d.(type) {
		case *ast.FuncDecl:
			has = has || d.Doc != nil
			if !has && exportedFunc(d) && !selfEvident[d.Name.Name] {
				problems = append(problems, f.problem(d.Pos(), "%s has no comment", d.Name.Name))
			}
		case *ast.GenDecl:
			has = has || d.Doc != nil
			if !has && d.Tok != token.IMPORT {
				problems = append(problems, bareSpecs(f, d)...)
			}
		}
		if has {
			served = end + 1
		}
	}
	return problems
}

// exportedFunc says that other packages can call d.
func exportedFunc(d *ast.FuncDecl) bool {
	if d.Recv != nil {
		receiver := ""
		ast.Inspect(d.Recv.List[0].Type, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok && receiver == "" {
				receiver = id.Name
			}
			return true
		})
		return d.Name.IsExported() && ast.IsExported(receiver)
	}
	return d.Name.IsExported()
}

// bareSpecs finds exported names of a declaration without a comment, none of their own
// and none beside them.
func bareSpecs(f goFile, d *ast.GenDecl) (problems []string) {
	for _, spec := range d.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			if spec.Name.IsExported() && spec.Doc == nil && spec.Comment == nil {
				problems = append(problems, f.problem(spec.Pos(), "%s has no comment", spec.Name.Name))
			}
		case *ast.ValueSpec:
			if spec.Names[0].IsExported() && spec.Doc == nil && spec.Comment == nil {
				problems = append(problems, f.problem(spec.Pos(), "%s has no comment", spec.Names[0].Name))
			}
		}
	}
	return problems
}

// explained is the rule of results that are thrown away: `_ = f()` needs a comment on its
// line or the line above.
func explained(f goFile) (problems []string) {
	if f.test() || f.generated() {
		return nil
	}
	remarks := map[int]bool{}
	for _, group := range f.tree.Comments {
		for _, c := range group.List {
			remarks[sources.Position(c.End()).Line] = true
		}
	}
	ast.Inspect(f.tree, func(n ast.Node) bool {
		assign, ok := n.(*ast.AssignStmt)
		if !ok || assign.Tok != token.ASSIGN {
			return true
		}
		for _, to := range assign.Lhs {
			if name, ok := to.(*ast.Ident); !ok || name.Name != "_" {
				return true
			}
		}
		if line := sources.Position(assign.Pos()).Line; !remarks[line] && !remarks[line-1] {
			problems = append(problems, f.problem(assign.Pos(), "a result is thrown away and no comment says why"))
		}
		return true
	})
	return problems
}

// oneIdea is the rule of length.
func oneIdea(f goFile) []string {
	if lines := strings.Count(f.text, "\n"); lines > longest && !f.generated() {
		return []string{f.path + ": " + strconv.Itoa(lines) + " lines are more than one idea"}
	}
	return nil
}

// formatted is the rule of gofmt, of the toolchain that go.mod names.
func formatted(f goFile) []string {
	want, err := format.Source([]byte(f.text))
	if err != nil || string(want) != f.text {
		return []string{f.path + ": not formatted: run go fmt"}
	}
	return nil
}

// patient is the rule of tests: none waits for time to pass, none looks away.
func patient(f goFile) (problems []string) {
	if !f.test() {
		return nil
	}
	ast.Inspect(f.tree, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			on, _ := s.X.(*ast.Ident) // nil when the selector is of an expression
			switch {
			case on != nil && f.imports()[on.Name] == "time" && s.Sel.Name == "Sleep":
				problems = append(problems, f.problem(n.Pos(), "a test sleeps"))
			case s.Sel.Name == "Skip" || s.Sel.Name == "Skipf" || s.Sel.Name == "SkipNow":
				problems = append(problems, f.problem(n.Pos(), "a test is skipped"))
			}
		}
		return true
	})
	return problems
}

// noInit is the rule of start-up: a package does nothing by being linked.
func noInit(f goFile) (problems []string) {
	if f.generated() {
		return nil
	}
	for _, d := range f.tree.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
			problems = append(problems, f.problem(d.Pos(), "init: do it where main or a constructor can be read"))
		}
	}
	return problems
}

// unfinished are the words of work that is not done. They are put together here so that
// this file passes.
var unfinished = regexp.MustCompile(`\b(` + strings.Join([]string{"TO" + "DO", "FIX" + "ME", "XX" + "X", "not " + "implemented", "un" + "implemented", "place" + "holder", "for " + "now"}, "|") + `)\b`)

// finished is the rule of comments and texts: neither speaks of work that is left.
func finished(f goFile) (problems []string) {
	if f.generated() {
		return nil
	}
	look := func(at token.Pos, text string) {
		if word := unfinished.FindString(text); word != "" {
			problems = append(problems, f.problem(at, "%s marks unfinished work", word))
		}
	}
	for _, group := range f.tree.Comments {
		for _, c := range group.List {
			look(c.Pos(), c.Text)
		}
	}
	ast.Inspect(f.tree, func(n ast.Node) bool {
		if text, ok := n.(*ast.BasicLit); ok && text.Kind == token.STRING {
			look(text.Pos(), text.Value)
		}
		return true
	})
	return problems
}

// places are names of machines and services on which this project happens to be built.
// They are put together here so that this file passes.
var places = regexp.MustCompile(strings.Join([]string{`(?:^|[^\w.])/wo` + `rk/`, `/fa` + `rm/`, `\bfa` + `rm-\w`, `\.lib` + `rary\b`, `\b(?:proxy|sum)\.golang` + `\.org`}, "|"))

// portable is the rule of files that anyone may read: they name no place of their making.
func portable(name, text string) (problems []string) {
	for i, line := range strings.Split(text, "\n") {
		if place := places.FindString(line); place != "" {
			problems = append(problems, name+":"+strconv.Itoa(i+1)+": names the place "+strings.TrimSpace(place))
		}
	}
	return problems
}

func TestEachPackageTeachesWhereToStart(t *testing.T) {
	folders := map[string][]goFile{}
	for _, f := range need(goFiles())(t) {
		folders[f.folder()] = append(folders[f.folder()], f)
	}
	for _, files := range folders {
		for _, problem := range teaches(files) {
			t.Error(problem)
		}
	}
}

func TestExportedNamesHaveComments(t *testing.T)     { keepRule(t, commented) }
func TestThrownAwayResultsAreExplained(t *testing.T) { keepRule(t, explained) }
func TestFilesHoldOneIdea(t *testing.T)              { keepRule(t, oneIdea) }
func TestSourcesAreFormatted(t *testing.T)           { keepRule(t, formatted) }
func TestNoTestSleepsOrLooksAway(t *testing.T)       { keepRule(t, patient) }
func TestLinkingAPackageDoesNothing(t *testing.T)    { keepRule(t, noInit) }
func TestNothingIsMarkedUnfinished(t *testing.T)     { keepRule(t, finished) }
func TestFilesNameNoPlaceOfTheirMaking(t *testing.T) {
	names := need(moduleFiles(".go", ".md", ".yml", ".proto", ".txt", ".mod", ".svg", ".sh"))(t)
	for _, name := range append(names, ".ci/run") {
		for _, problem := range portable(name, string(need(os.ReadFile(name))(t))) {
			t.Error(problem)
		}
	}
}

func TestTheDocRuleFindsPackagesThatTeachNothing(t *testing.T) {
	long := "// Package x " + strings.Repeat("decides something. ", 12)
	for _, s := range []ruleSample{
		{"good", "x/doc.go", long + "Start reading at Step.\npackage x\nfunc Step() {}", ""},
		{"a method", "x/doc.go", long + "Start reading at T.Step.\npackage x\ntype T int\nfunc (T) Step() {}", ""},
		{"a file", "x/doc.go", long + "Start reading at doc.go.\npackage x", ""},
		{"nowhere", "x/doc.go", long + "\npackage x", `does not say "Start reading at`},
		{"gone", "x/doc.go", long + "Start reading at Step.\npackage x", "start reading at Step: there is no such thing"},
		{"thin", "x/doc.go", "// Package x is x. Start reading at Step.\npackage x\nfunc Step() {}", "teaches nobody"},
		{"elsewhere", "x/x.go", long + "Start reading at Step.\npackage x\nfunc Step() {}", "no doc.go"},
		{"no comment", "x/doc.go", "package x", "no doc.go with a package comment"},
		{"tests only", "x/x_test.go", "package x", ""},
	} {
		t.Run(s.name, func(t *testing.T) { wantProblem(t, teaches([]goFile{need(parseGo(s.path, s.text))(t)}), s.want) })
	}
}

func TestTheCommentRuleFindsBareNames(t *testing.T) {
	tryRule(t, commented, []ruleSample{
		{"function", "x/x.go", "package x\nfunc F() {}", "F has no comment"},
		{"function with one", "x/x.go", "package x\n// F does.\nfunc F() {}", ""},
		{"unexported", "x/x.go", "package x\nfunc f() {}", ""},
		{"method", "x/x.go", "package x\n// T is.\ntype T int\n\nfunc (t *T) M() {}", "M has no comment"},
		{"method of a generic type", "x/x.go", "package x\n// T is.\ntype T[K any] int\n\nfunc (t *T[K]) M() {}", "M has no comment"},
		{"method of an unexported type", "x/x.go", "package x\ntype t int\n\nfunc (t) M() {}", ""},
		{"run of methods", "x/x.go", "package x\n// T is.\ntype T int\n\n// A and B do.\nfunc (T) A() {}\nfunc (T) B() {}", ""},
		{"after the run", "x/x.go", "package x\n// A does.\nfunc A() {}\n\nfunc B() {}", "B has no comment"},
		{"String", "x/x.go", "package x\n// T is.\ntype T int\n\nfunc (T) String() string { return \"\" }", ""},
		{"type", "x/x.go", "package x\ntype T int", "T has no comment"},
		{"constants under one", "x/x.go", "package x\n// The modes.\nconst (\n\tA = 1\n\tB = 2\n)", ""},
		{"a bare constant", "x/x.go", "package x\nconst (\n\tA = 1 // one\n\tB = 2\n)", "B has no comment"},
		{"generated", "x/x.go", "// Code generated by hand. DO NOT EDIT.\n\npackage x\nfunc F() {}", ""},
		{"test", "x/x_test.go", "package x\nfunc F() {}", ""},
	})
}

func TestTheRuleOfThrownAwayResultsFindsThem(t *testing.T) {
	tryRule(t, explained, []ruleSample{
		{"bare", "x/x.go", "package x\nfunc f() { _ = g() }", "thrown away"},
		{"two", "x/x.go", "package x\nfunc f() { _, _ = g() }", "thrown away"},
		{"beside", "x/x.go", "package x\nfunc f() {\n\t_ = g() // g only logs\n}", ""},
		{"above", "x/x.go", "package x\nfunc f() {\n\t// g only logs\n\t_ = g()\n}", ""},
		{"one of two kept", "x/x.go", "package x\nfunc f() { _, n = g() }", ""},
		{"a check by the compiler", "x/x.go", "package x\nvar _ I = T{}", ""},
	})
}

func TestTheSmallRulesFindWhatTheyAreFor(t *testing.T) {
	t.Run("length", func(t *testing.T) {
		tryRule(t, oneIdea, []ruleSample{
			{"short", "x/x.go", "package x\n" + strings.Repeat("\n", longest-1), ""},
			{"long", "x/x.go", "package x\n" + strings.Repeat("\n", longest), "more than one idea"},
		})
	})
	t.Run("format", func(t *testing.T) {
		tryRule(t, formatted, []ruleSample{
			{"good", "x/x.go", "package x\n\nfunc f() {}\n", ""},
			{"bad", "x/x.go", "package x\nfunc f( ) {}\n", "not formatted"},
		})
	})
	t.Run("patience", func(t *testing.T) {
		tryRule(t, patient, []ruleSample{
			{"sleep", "x/x_test.go", `package x; import "time"; func f() { time.Sleep(1) }`, "sleeps"},
			{"skip", "x/x_test.go", `package x; func f() { t.Skip() }`, "skipped"},
			{"a scanner's skip", "x/x.go", `package x; func f() { s.Skip() }`, ""},
			{"time", "x/x_test.go", `package x; import "time"; const d = time.Second`, ""},
		})
	})
	t.Run("init", func(t *testing.T) {
		tryRule(t, noInit, []ruleSample{
			{"init", "x/x.go", "package x\nfunc init() {}", "init:"},
			{"a method", "x/x.go", "package x\nfunc (t T) init() {}", ""},
		})
	})
	t.Run("unfinished", func(t *testing.T) {
		tryRule(t, finished, []ruleSample{
			{"marked", "x/x.go", "package x // TO" + "DO", "marks unfinished work"},
			{"refused", "x/x.go", "package x\nvar e = errors.New(\"not " + "implemented\")", "marks unfinished work"},
			{"done", "x/x.go", "package x // done", ""},
			{"a loop over time", "x/x.go", "package x\nfunc f() { for " + "now := range 3 {} }", ""},
		})
	})
	t.Run("places", func(t *testing.T) {
		wantProblem(t, portable("x.md", "see /wo"+"rk/main"), "names the place")
		wantProblem(t, portable("x.md", "see artwo"+"rk/main and net/wo"+"rk/"), "")
	})
}
