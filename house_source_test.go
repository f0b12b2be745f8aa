package blink_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// module is the path of this module, as go.mod has it.
const module = "blink"

// sources has the positions of all that these tests parse.
var sources = token.NewFileSet()

// A houseRule looks at one Go file and says what it breaks, a line each.
type houseRule func(goFile) []string

// goFile is one Go file of the module, parsed.
type goFile struct {
	path string // from the root, with slashes
	text string
	tree *ast.File
}

// folder is where the file lies, from the root: the package's name in the layer table.
func (f goFile) folder() string { return path.Dir(f.path) }

func (f goFile) test() bool      { return strings.HasSuffix(f.path, "_test.go") }
func (f goFile) generated() bool { return ast.IsGenerated(f.tree) }

// problem is a finding at a place in the file.
func (f goFile) problem(at token.Pos, format string, args ...any) string {
	return fmt.Sprintf("%s:%d: %s", f.path, sources.Position(at).Line, fmt.Sprintf(format, args...))
}

// imports are the file's imports by the name under which it uses them.
func (f goFile) imports() map[string]string {
	named := map[string]string{}
	for _, spec := range f.tree.Imports {
		target := strings.Trim(spec.Path.Value, "`\"")
		name := path.Base(target)
		if strings.HasPrefix(name, "v") && strings.Trim(name[1:], "0123456789") == "" { // math/rand/v2
			name = path.Base(path.Dir(target))
		}
		if spec.Name != nil {
			name = spec.Name.Name
		}
		named[name] = target
	}
	return named
}

func parseGo(name, text string) (goFile, error) {
	tree, err := parser.ParseFile(sources, name, text, parser.ParseComments)
	return goFile{path: name, text: text, tree: tree}, err
}

// moduleFiles lists the files of this module with one of the extensions: what git keeps
// aside, what lies in other modules and what tools leave behind is not looked at.
func moduleFiles(ext ...string) ([]string, error) {
	var found []string
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		if entry.IsDir() {
			if name == ".git" || name == ".task" || name == "bin" || name != "." && fileExists(path.Join(name, "go.mod")) {
				return fs.SkipDir
			}
			return nil
		}
		if slices.Contains(ext, path.Ext(name)) {
			found = append(found, name)
		}
		return nil
	})
	return found, err
}

// goFiles parses every Go file of the module, once.
var goFiles = sync.OnceValues(func() ([]goFile, error) {
	names, err := moduleFiles(".go")
	if err != nil {
		return nil, err
	}
	var files []goFile
	for _, name := range names {
		if strings.Contains(name, "testdata/") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		f, err := parseGo(name, string(text))
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
})

// need is a result without which a test cannot go on: need(f())(t).
func need[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func fileExists(name string) bool {
	_, err := os.Stat(filepath.FromSlash(name))
	return err == nil
}

// keepRule applies a rule to the whole module.
func keepRule(t *testing.T, rule houseRule) {
	t.Helper()
	for _, f := range need(goFiles())(t) {
		for _, problem := range rule(f) {
			t.Error(problem)
		}
	}
}

// ruleSample is a small file on which a rule must speak, or be silent when want is empty.
type ruleSample struct{ name, path, text, want string }

// tryRule shows that a rule finds what it is for and lets the rest pass.
func tryRule(t *testing.T, rule houseRule, samples []ruleSample) {
	t.Helper()
	for _, s := range samples {
		t.Run(s.name, func(t *testing.T) { wantProblem(t, rule(need(parseGo(s.path, s.text))(t)), s.want) })
	}
}

// wantProblem wants one problem that contains want, or none when want is empty.
func wantProblem(t *testing.T, problems []string, want string) {
	t.Helper()
	switch {
	case want == "" && len(problems) > 0:
		t.Errorf("found what is allowed: %q", problems)
	case want != "" && (len(problems) != 1 || !strings.Contains(problems[0], want)):
		t.Errorf("found %q, want one problem with %q", problems, want)
	}
}
