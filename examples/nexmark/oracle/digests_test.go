package oracle

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"blink/connector/nexmark"
)

var rewrite = flag.Bool("rewrite", false, "write the golden file anew")

func TestAMillionEventsHaveTheKnownDigests(t *testing.T) {
	g := nexmark.NewGenerator()
	var lines []string
	for _, q := range Queries() {
		d := nexmark.WithFull()
		q.Run(Generated(g, million), &d)
		lines = append(lines, fmt.Sprintf("%s %d %016x %016x", q.Name, d.Rows, d.Cheap, d.Full))
	}
	have := strings.Join(lines, "\n") + "\n"
	for _, want := range strings.Split(strings.TrimSpace(defined), "\n") {
		if !strings.Contains("\n"+have, "\n"+want+"\n") {
			t.Errorf("lacks %s", want)
		}
	}
	const golden = "testdata/digests.txt"
	if *rewrite {
		if err := os.WriteFile(golden, []byte(have), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if have != string(want) {
		t.Errorf("have\n%s\nwant\n%s", have, want)
	}
}

// BenchmarkLoop is what a query costs without an engine, its digest and the generator
// included.
func BenchmarkLoop(b *testing.B) {
	g := nexmark.NewGenerator()
	b.Run("none", func(b *testing.B) {
		perEvent(b, func() {
			in := Generated(g, million)
			for in.Next() != nil {
			}
		})
	})
	for _, q := range Queries() {
		b.Run(q.Name, func(b *testing.B) {
			perEvent(b, func() {
				var d nexmark.Digest
				q.Run(Generated(g, million), &d)
			})
		})
	}
}

func perEvent(b *testing.B, run func()) {
	for b.Loop() {
		run()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/million, "ns/event")
}
