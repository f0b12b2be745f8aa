package blink_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var goBlock = regexp.MustCompile("(?ms)^```go\n(.*?)^```")

// compile compiles a program as if it were an example of this module, without linking it.
// It returns what the go command said against it.
func compile(t *testing.T, text string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "main.go")
	overlay := filepath.Join(t.TempDir(), "overlay.json")
	place := filepath.Join(need(os.Getwd())(t), "examples", "readme", "main.go")
	table := need(json.Marshal(map[string]any{"Replace": map[string]string{place: program}}))(t)
	for name, content := range map[string][]byte{program: []byte(text), overlay: table} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	said, err := exec.Command("go", "list", "-export", "-overlay", overlay, "-f", "", "./examples/readme").CombinedOutput()
	if err != nil {
		return err.Error() + "\n" + string(said)
	}
	return ""
}

// readmeLines bounds the job that README.md shows, from the package clause on.
const readmeLines = 25

func TestTheReadmesJobCompiles(t *testing.T) {
	blocks := goBlock.FindAllStringSubmatch(string(need(os.ReadFile("README.md"))(t)), -1)
	if len(blocks) == 0 {
		t.Fatal("README.md shows no job")
	}
	for _, block := range blocks {
		for _, problem := range formatted(need(parseGo("README.md", block[1]))(t)) {
			t.Error(problem)
		}
		if said := compile(t, block[1]); said != "" {
			t.Error(said)
		}
		if n := strings.Count(block[1], "\n"); n > readmeLines {
			t.Errorf("README.md shows a job of %d lines: a newcomer reads %d", n, readmeLines)
		}
	}
}

func TestAProgramThatDoesNotCompileIsFound(t *testing.T) {
	if said := compile(t, "package main\n\nfunc main() {}\n"); said != "" {
		t.Error(said)
	}
	if said := compile(t, "package main\n\nfunc main() { gone() }\n"); said == "" {
		t.Error("nothing was said against a call of nothing")
	}
}
