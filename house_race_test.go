package blink_test

import (
	"go/ast"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// raceList is the list of packages in .ci/run that the race detector watches.
var raceList = regexp.MustCompile(`(?ms)^race=\(\n(.*?)^\)`)

// raced are the folders of the list in a script.
func raced(script string) []string {
	list := raceList.FindStringSubmatch(script)
	if list == nil {
		return nil
	}
	var folders []string
	for _, name := range strings.Fields(list[1]) {
		folders = append(folders, strings.Replace(strings.TrimPrefix(name, "./"), "...", "*", 1))
	}
	return folders
}

// shares says that a file starts a goroutine or takes care of those of others.
func shares(f goFile) bool {
	for _, target := range f.imports() {
		if target == "sync" || target == "sync/atomic" {
			return true
		}
	}
	found := false
	ast.Inspect(f.tree, func(n ast.Node) bool {
		_, starts := n.(*ast.GoStmt)
		found = found || starts
		return !found
	})
	return found
}

func TestTheRaceDetectorWatchesWhateverHasGoroutines(t *testing.T) {
	watched := raced(string(need(os.ReadFile(".ci/run"))(t)))
	for _, f := range need(goFiles())(t) {
		if !f.test() && !f.generated() && shares(f) && !tagged(f) && !within(watched, f.folder()) {
			t.Errorf("%s has to do with goroutines: add ./%s to the list race in .ci/run", f.path, f.folder())
		}
	}
	for _, folder := range watched {
		if !fileExists(strings.TrimSuffix(folder, "/*")) {
			t.Errorf(".ci/run watches %s, which does not exist", folder)
		}
	}
}

// tagged says that the file is left out of an ordinary build.
func tagged(f goFile) bool { return strings.HasPrefix(f.text, "//go:build mutate\n") }

func TestTheRuleOfRacesFindsGoroutines(t *testing.T) {
	for text, want := range map[string]bool{
		"package x\nfunc f() { go f() }":                       true,
		"package x\nimport \"sync\"\nvar mu sync.Mutex":        true,
		"package x\nimport \"sync/atomic\"\nvar n atomic.Bool": true,
		"package x\nfunc f() { f() }":                          false,
	} {
		if got := shares(need(parseGo("x/x.go", text))(t)); got != want {
			t.Errorf("%q shares = %v", text, got)
		}
	}
	if got, want := raced("a=1\nrace=(\n\t./actors\n\t./taskexec/...\n)\n"), []string{"actors", "taskexec/*"}; !slices.Equal(got, want) {
		t.Errorf("raced = %q, want %q", got, want)
	}
}
