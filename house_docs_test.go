package blink_test

import (
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	fence     = regexp.MustCompile("(?ms)^```.*?^```")
	codeSpan  = regexp.MustCompile("`([^`\n]+)`")
	mdLink    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	goFolder  = regexp.MustCompile(`\bgo (?:run|test|build|vet)\b.*?\s(\./[\w./-]*\w)`) // ./examples/delays, not ./...
	anyFolder = regexp.MustCompile(`\s(\./[\w./-]*\w)`)
	filePath  = regexp.MustCompile(`^[\w./-]*\w\.(?:go|md|proto|yml|mod|svg)$`)
	pathLike  = regexp.MustCompile(`^\.?[\w-]+(?:/[\w.-]+)+/?$`)
)

// namesFiles is the rule of documents: what they name by path exists. A path is a link, a
// code span that looks like one, or a folder in a go command. Every package has a doc.go,
// so it needs no path.
func namesFiles(name, text string, exists func(string) bool) (problems []string) {
	here := path.Dir(name)
	found := func(target string) bool {
		target = strings.TrimSuffix(strings.TrimSuffix(target, "/..."), "/")
		return target == "" || target == "doc.go" || exists(path.Join(here, target)) || exists(path.Clean(target))
	}
	report := func(target string) {
		if !found(target) {
			problems = append(problems, name+": names "+target+", which does not exist")
		}
	}
	for _, block := range fence.FindAllString(text, -1) {
		for _, line := range strings.Split(block, "\n") {
			commandFolders(line, report)
		}
	}
	text = fence.ReplaceAllString(text, "")
	for _, link := range mdLink.FindAllStringSubmatch(text, -1) {
		if target, _, _ := strings.Cut(link[1], "#"); target != "" && !strings.Contains(target, "://") {
			report(target)
		}
	}
	for _, span := range codeSpan.FindAllStringSubmatch(text, -1) {
		commandFolders(span[1], report)
		top, _, _ := strings.Cut(span[1], "/")
		if filePath.MatchString(span[1]) || pathLike.MatchString(span[1]) && exists(top) {
			report(span[1])
		}
	}
	return problems
}

// commandFolders reports the package of a go command.
func commandFolders(line string, report func(string)) {
	for _, folder := range goFolder.FindAllStringSubmatch(line, -1) {
		report(folder[1])
	}
}

func TestDocsNameNoMissingFile(t *testing.T) {
	for _, name := range need(moduleFiles(".md"))(t) {
		for _, problem := range namesFiles(name, string(need(os.ReadFile(name))(t)), fileExists) {
			t.Error(problem)
		}
	}
}

func TestTheVerbsOfTaskNameNoMissingFile(t *testing.T) {
	for _, named := range anyFolder.FindAllStringSubmatch(string(need(os.ReadFile("Taskfile.yml"))(t)), -1) {
		if !fileExists(named[1]) {
			t.Errorf("Taskfile.yml: names %s, which does not exist", named[1])
		}
	}
}

func TestTheMapHasEveryFolderOfCode(t *testing.T) {
	var named []string
	for _, span := range codeSpan.FindAllStringSubmatch(string(need(os.ReadFile("docs/ARCHITECTURE.md"))(t)), -1) {
		named = append(named, span[1])
	}
	for _, name := range need(moduleFiles(".go"))(t) {
		folder := path.Dir(name)
		if !slices.ContainsFunc(named, func(n string) bool { return folder == "." || folder == n || strings.HasPrefix(folder, n+"/") }) {
			t.Errorf("docs/ARCHITECTURE.md: the table of folders lacks %s", folder)
		}
	}
}

func TestTheDocsRuleFindsWhatIsGone(t *testing.T) {
	exists := func(name string) bool {
		return strings.Contains(" README.md docs docs/STYLE.md docs/decisions graph graph/job.go examples examples/delays . ", " "+name+" ")
	}
	for _, s := range []ruleSample{
		{"link", "README.md", "[style](docs/STYLE.md#names)", ""},
		{"link from a folder", "docs/ARCHITECTURE.md", "[style](STYLE.md) [up](../README.md)", ""},
		{"dead link", "README.md", "[style](docs/GONE.md)", "names docs/GONE.md"},
		{"link into the web", "README.md", "[go](https://go.dev/doc.md)", ""},
		{"file", "README.md", "`graph/job.go`", ""},
		{"gone file", "docs/STYLE.md", "`graph/gone.go`", "names graph/gone.go"},
		{"folder", "docs/STYLE.md", "`docs/decisions/`", ""},
		{"gone folder", "README.md", "`graph/gone`", "names graph/gone"},
		{"not ours", "README.md", "`application/json` `windows.csv` `out/x.csv`", ""},
		{"command", "README.md", "```\nGOTOOLCHAIN=auto go run ./examples/delays run --out ./out\ngo test ./...\n```", ""},
		{"flags before the package", "README.md", "`go test -tags mutate ./gone -run X`", "names ./gone"},
		{"gone command", "README.md", "```\ngo run ./examples/gone run\n```", "names ./examples/gone"},
		{"command in a line", "README.md", "run `go run ./examples/delays run`", ""},
		{"code in a block", "README.md", "```go\nimport \"blink/gone\"\n```", ""},
	} {
		t.Run(s.name, func(t *testing.T) { wantProblem(t, namesFiles(s.path, s.text, exists), s.want) })
	}
}
