package blink_test

import (
	"go/ast"
	"go/token"
	"path"
	"slices"
	"strings"
	"testing"
)

// layers lists the packages of this module from the bottom up: a package imports only
// packages of earlier lines. "x/*" is every folder below x; within internal, and within one
// example, packages import each other freely. This is the architecture: change it on purpose.
const layers = `
	internal/* protos
	graph actors
	state placement snapshot snapshot/store
	operator state/pebble snapshot/store/storetest
	. jobmaster/exec jobmaster/leader yarnrm/ledger taskexec/exchange
	jobmaster taskexec yarnrm jobmaster/leader/leadertest
	connector/* web shell
	sim/world
	sim
	sim/campaign
	cluster blinktest
	examples/*
	bench/usage
	bench/*
	cmd/*
`

// pure packages decide and touch nothing: no I/O, no clock, no chance, no goroutine.
var pure = []string{".", "graph", "placement", "snapshot", "jobmaster/exec", "jobmaster/leader", "yarnrm/ledger"}

// actorCode runs in the turns of actors, whose only door to the outside is actors.Ctx.
// What runs inside Ctx.Go is bound as well, since the simulator stands beneath it: operators,
// and connectors, which see files through operator.FS.
var actorCode = []string{"jobmaster", "taskexec", "taskexec/exchange", "operator", "state", "connector/*"}

// outside are the files of those packages that are effects by purpose: the real thing for
// which the simulator has a twin.
var outside = []string{"jobmaster/leader/local*.go", "taskexec/exchange/conn*.go", "connector/files/os.go"}

// oracles compute the result of an example a second time. Each imports of this module only
// what stands beside it, so that it shares no mistake with what it checks.
var oracles = map[string][]string{
	"examples/delays/oracle":  nil,
	"examples/nexmark/oracle": {"connector/nexmark"}, // the events, the rows, the digest
}

// rankOf is the line of a package in the layer table, and -1 if it has none.
func rankOf(folder string) int {
	found := -1
	for i, line := range strings.Split(layers, "\n") {
		names := strings.Fields(line)
		if slices.Contains(names, folder) {
			return i
		}
		if within(names, folder) {
			found = i
		}
	}
	return found
}

// within says that a list has the folder, by name or under "x/*".
func within(names []string, folder string) bool {
	return slices.ContainsFunc(names, func(name string) bool {
		below, all := strings.CutSuffix(name, "*")
		return name == folder || all && strings.HasPrefix(folder, below)
	})
}

// sameHouse says that two packages may import each other whatever their lines.
func sameHouse(a, b string) bool {
	example := func(folder string) string {
		if name, ok := strings.CutPrefix(folder, "examples/"); ok {
			return strings.Split(name, "/")[0]
		}
		return ""
	}
	if strings.HasPrefix(a, "internal/") && strings.HasPrefix(b, "internal/") {
		return true
	}
	return example(a) != "" && example(a) == example(b)
}

// downward is the rule of the layers. Tests are exempt.
func downward(f goFile) (problems []string) {
	if f.test() {
		return nil
	}
	from := rankOf(f.folder())
	if from < 0 {
		return []string{f.problem(f.tree.Name.Pos(), "package %s is not in the layer table of layers_test.go", f.folder())}
	}
	for _, spec := range f.tree.Imports {
		to, ours := ourFolder(strings.Trim(spec.Path.Value, "`\""))
		if ours && rankOf(to) >= from && !sameHouse(f.folder(), to) {
			problems = append(problems, f.problem(spec.Pos(), "%s is not below %s", to, f.folder()))
		}
		if ours && strings.HasSuffix(to, "test") && !strings.HasSuffix(f.folder(), "test") {
			problems = append(problems, f.problem(spec.Pos(), "%s is for tests", to))
		}
	}
	return problems
}

// ourFolder is the folder of an imported package of this module.
func ourFolder(target string) (folder string, ours bool) {
	if target == module {
		return ".", true
	}
	return strings.CutPrefix(target, module+"/")
}

// alone is the rule of oracles. Tests are exempt.
func alone(f goFile) (problems []string) {
	allowed, isOracle := oracles[f.folder()]
	if !isOracle || f.test() {
		return nil
	}
	for _, spec := range f.tree.Imports {
		if to, ours := ourFolder(strings.Trim(spec.Path.Value, "`\"")); ours && !slices.Contains(allowed, to) {
			problems = append(problems, f.problem(spec.Pos(), "an oracle imports %s", to))
		}
	}
	return problems
}

// oneImporter keeps Proto.Actor behind package actors, tests included.
func oneImporter(f goFile) (problems []string) {
	for _, spec := range f.tree.Imports {
		if strings.Contains(spec.Path.Value, "asynkron/protoactor-go") && f.folder() != "actors" {
			problems = append(problems, f.problem(spec.Pos(), "only package actors imports Proto.Actor"))
		}
	}
	return problems
}

// A door says what code may reach. Imports end in "/" when all below is meant too.
type door struct {
	what   string
	closed []string            // imports that are refused
	only   map[string][]string // imports of which only these names may be used
	never  map[string][]string // imports of which these names may not be used
}

// wallClock are the names of package time that read a clock, a zone of the machine, or start a timer.
var wallClock = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker", "Local", "LoadLocation"}

// machineOnly are the names that ask the machine, by package.
var machineOnly = map[string][]string{
	"time":          wallClock,
	"context":       {"WithTimeout", "WithTimeoutCause", "WithDeadline", "WithDeadlineCause", "AfterFunc"},
	"path/filepath": {"Abs", "Glob", "Walk", "WalkDir", "EvalSymlinks"},
	"runtime":       {"GOMAXPROCS", "NumCPU", "NumGoroutine", "Gosched", "GC", "ReadMemStats"},
}

const durable = module + "/internal/durable"

var pureDoor = door{
	what: "pure package",
	closed: []string{"os/", "net/", "sync/", "log/", "math/rand/", "crypto/rand", "hash/maphash", "syscall", "testing/",
		"github.com/rs/zerolog/", "golang.org/x/sys/", module + "/actors", module + "/protos"},
	only:  map[string][]string{"context": {"Context"}, durable: nil},
	never: machineOnly,
}

var actorDoor = door{
	what: "actor code",
	closed: []string{"os/", "net/", "sync/", "log/", "crypto/rand", "hash/maphash", "testing/",
		"golang.org/x/sys/"},
	only: map[string][]string{
		"syscall":      {"ENOSPC", "EDQUOT", "EFBIG", "EROFS", "ENOTDIR"}, // what an operator.FS can answer
		"math/rand/v2": {"Rand"},                                          // the type that Ctx.Rand returns
		"math/rand":    {},
		durable:        {"FS", "File", "FileInfo", "Replace", "Write", "Append"}, // not the machine's
	},
	never: machineOnly,
}

// doorOf is the door that a file must keep, nil if it may reach everything.
func doorOf(f goFile) *door {
	for _, pattern := range outside {
		if match, _ := path.Match(pattern, f.path); match { // the patterns are constant and well formed
			return nil
		}
	}
	switch {
	case f.test() || f.generated():
		return nil
	case within(pure, f.folder()):
		return &pureDoor
	case within(actorCode, f.folder()):
		return &actorDoor
	}
	return nil
}

// throughTheDoor is the rule of pure packages and of actor code: nothing comes in or goes
// out but by arguments, results and actors.Ctx.
func throughTheDoor(f goFile) (problems []string) {
	d := doorOf(f)
	if d == nil {
		return nil
	}
	for _, spec := range f.tree.Imports {
		if target := strings.Trim(spec.Path.Value, "`\""); d.refuses(target) {
			problems = append(problems, f.problem(spec.Pos(), "%s imports %s", d.what, target))
		}
	}
	imports := f.imports()
	ast.Inspect(f.tree, func(n ast.Node) bool {
		if said := concurrency(n); said != "" {
			problems = append(problems, f.problem(n.Pos(), "%s in %s", said, d.what))
		}
		if selector, ok := n.(*ast.SelectorExpr); ok {
			if name, ok := selector.X.(*ast.Ident); ok && d.forbids(imports[name.Name], selector.Sel.Name) {
				problems = append(problems, f.problem(n.Pos(), "%s uses %s.%s", d.what, name.Name, selector.Sel.Name))
			}
		}
		return true
	})
	return problems
}

func (d *door) refuses(target string) bool {
	for _, name := range d.closed {
		if below, all := strings.CutSuffix(name, "/"); target == below || all && strings.HasPrefix(target, name) {
			return true
		}
	}
	return false
}

func (d *door) forbids(target, name string) bool {
	if allowed, limited := d.only[target]; limited {
		return !slices.Contains(allowed, name)
	}
	return slices.Contains(d.never[target], name)
}

// concurrency names the statement or type that starts or joins goroutines, if n is one.
func concurrency(n ast.Node) string {
	switch n := n.(type) {
	case *ast.GoStmt:
		return "a go statement"
	case *ast.SelectStmt:
		return "a select"
	case *ast.SendStmt, *ast.ChanType:
		return "a channel"
	case *ast.UnaryExpr:
		if n.Op == token.ARROW {
			return "a channel"
		}
	}
	return ""
}

func TestPackagesImportOnlyLowerLayers(t *testing.T)            { keepRule(t, downward) }
func TestOraclesStandAlone(t *testing.T)                        { keepRule(t, alone) }
func TestOnlyPackageActorsImportsProtoActor(t *testing.T)       { keepRule(t, oneImporter) }
func TestDecisionsAndActorsReachTheWorldByOneDoor(t *testing.T) { keepRule(t, throughTheDoor) }

func TestTheLayerRuleFindsUpwardImports(t *testing.T) {
	tryRule(t, downward, []ruleSample{
		{"down", "jobmaster/exec/x.go", `package exec; import "blink/graph"`, ""},
		{"up", "graph/x.go", `package graph; import "blink/jobmaster"`, "jobmaster is not below graph"},
		{"sideways", "placement/x.go", `package placement; import "blink/snapshot"`, "snapshot is not below placement"},
		{"into the root", "operator/x.go", `package operator; import "blink"`, ". is not below operator"},
		{"from the root", "x.go", `package blink; import "blink/operator"`, ""},
		{"under another name", "graph/x.go", `package graph; import a "blink/actors"`, "actors is not below graph"},
		{"connector to connector", "connector/files/x.go", `package files; import "blink/connector/generator"`, "is not below"},
		{"within internal", "internal/a/x.go", `package a; import "blink/internal/b"`, ""},
		{"within an example", "examples/delays/x.go", `package main; import "blink/examples/delays/delays"`, ""},
		{"between examples", "examples/delays/x.go", `package main; import "blink/examples/words"`, "is not below"},
		{"a test may", "graph/x_test.go", `package graph; import "blink/sim"`, ""},
		{"the wiring in sim", "sim/x.go", `package sim; import "blink/cluster"`, "cluster is not below sim"},
		{"a helper of tests in production", "examples/delays/x.go", `package main; import "blink/blinktest"`, "blinktest is for tests"},
		{"an unknown package", "manager/x.go", `package manager`, "manager is not in the layer table"},
	})
}

func TestTheOracleRuleFindsWhatTheyShareWithTheEngine(t *testing.T) {
	tryRule(t, alone, []ruleSample{
		{"the engine", "examples/nexmark/oracle/x.go", `package oracle; import "blink/state"`, "an oracle imports state"},
		{"the job", "examples/delays/oracle/x.go", `package oracle; import "blink/examples/delays/job"`, "an oracle imports examples/delays/job"},
		{"its events", "examples/nexmark/oracle/x.go", `package oracle; import ("slices"; "blink/connector/nexmark")`, ""},
		{"events of another", "examples/delays/oracle/x.go", `package oracle; import "blink/connector/nexmark"`, "an oracle imports"},
		{"a test may", "examples/delays/oracle/x_test.go", `package oracle; import "blink/examples/delays/data"`, ""},
		{"a job", "examples/delays/job/x.go", `package job; import "blink"`, ""},
	})
}

func TestTheProtoActorRuleFindsASecondImporter(t *testing.T) {
	text := `package x; import "github.com/asynkron/protoactor-go/actor"`
	tryRule(t, oneImporter, []ruleSample{
		{"actors", "actors/x.go", text, ""},
		{"taskexec", "taskexec/x.go", text, "only package actors"},
		{"a test of sim", "sim/x_test.go", text, "only package actors"},
	})
}

func TestTheDoorRuleFindsWaysAround(t *testing.T) {
	tryRule(t, throughTheDoor, []ruleSample{
		{"types of time", "graph/x.go", `package graph; import "time"; type T struct{ at time.Time }; const d = 3 * time.Second`, ""},
		{"clock in a machine", "jobmaster/exec/x.go", `package exec; import "time"; var t = time.Now()`, "pure package uses time.Now"},
		{"clock under another name", "graph/x.go", `package graph; import clock "time"; var t = clock.Now`, "uses clock.Now"},
		{"context's type", "x.go", `package blink; import "context"; type F func(context.Context)`, ""},
		{"a new context", "x.go", `package blink; import "context"; var c = context.Background()`, "uses context.Background"},
		{"os", "snapshot/x.go", `package snapshot; import "os"; var _ = os.Args`, "pure package imports os"},
		{"below net", "snapshot/x.go", `package snapshot; import "net/http"; var _ http.Client`, "imports net/http"},
		{"atomics", "placement/x.go", `package placement; import "sync/atomic"; var n atomic.Int64`, "imports sync/atomic"},
		{"protos", "jobmaster/exec/x.go", `package exec; import "blink/protos"; var _ protos.Hello`, "imports blink/protos"},
		{"actors", "jobmaster/leader/x.go", `package leader; import "blink/actors"; var _ actors.Ref`, "imports blink/actors"},
		{"the local leader service", "jobmaster/leader/local.go", `package leader; import "sync"; var mu sync.Mutex`, ""},
		{"a channel in a machine", "placement/x.go", `package placement; var c chan int`, "a channel in pure package"},
		{"a test may", "graph/x_test.go", `package graph; import "os"; var _ = os.Args`, ""},
		{"a store may", "snapshot/store/x.go", `package store; import "os"; var _ = os.Args`, ""},
		{"protos in an actor", "jobmaster/x.go", `package jobmaster; import "blink/protos"; var _ protos.Hello`, ""},
		{"clock in an actor", "taskexec/x.go", `package taskexec; import "time"; func f() { time.Sleep(1) }`, "actor code uses time.Sleep"},
		{"deadline in an actor", "jobmaster/x.go", `package jobmaster; import "context"; var c, _ = context.WithTimeout(nil, 1)`, "uses context.WithTimeout"},
		{"chance in an actor", "jobmaster/x.go", `package jobmaster; import "math/rand/v2"; var n = rand.Int()`, "actor code uses rand.Int"},
		{"the type of Ctx.Rand", "jobmaster/x.go", `package jobmaster; import "math/rand/v2"; var r *rand.Rand`, ""},
		{"go in an actor", "taskexec/x.go", `package taskexec; func f() { go f() }`, "a go statement in actor code"},
		{"select in an actor", "taskexec/x.go", `package taskexec; func f() { select {} }`, "a select in actor code"},
		{"send in an actor", "taskexec/x.go", `package taskexec; func f(c C) { c <- 1 }`, "a channel in actor code"},
		{"receive in an actor", "taskexec/x.go", `package taskexec; func f(c C) { <-c }`, "a channel in actor code"},
		{"lock in an actor", "jobmaster/x.go", `package jobmaster; import "sync"; var mu sync.Mutex`, "actor code imports sync"},
		{"random hashes", "state/x.go", `package state; import "hash/maphash"; var s maphash.Seed`, "imports hash/maphash"},
		{"lock in the exchange", "taskexec/exchange/credit.go", `package exchange; import "sync"; var mu sync.Mutex`, "imports sync"},
		{"errors of files", "connector/files/x.go", `package files; import "syscall"; var full = syscall.ENOSPC`, ""},
		{"calls of the system", "connector/files/x.go", `package files; import "syscall"; var f = syscall.Open`, "uses syscall.Open"},
		{"files past the simulator", "connector/files/x.go", `package files; import "os"; var _ = os.Args`, "actor code imports os"},
		{"the machine's files past the simulator", "connector/files/x.go", `package files; import "blink/internal/durable"; var _ = durable.OS()`, "actor code uses durable.OS"},
		{"files of a simulator", "connector/files/x.go", `package files; import "blink/internal/durable"; func f(d durable.FS) error { return durable.Replace(d, "x", "y", nil) }`, ""},
		{"the machine's files", "connector/files/os.go", `package files; import "os"; var _ = os.Args`, ""},
		{"lock in a connection", "taskexec/exchange/conn_tcp.go", `package exchange; import "sync"; var mu sync.Mutex`, ""},
	})
}
