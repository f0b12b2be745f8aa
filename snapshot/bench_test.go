package snapshot

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"blink/graph"
)

func BenchmarkPlanRestore(b *testing.B) {
	for _, old := range []int{10_000, 5_000} {
		b.Run(fmt.Sprint(old, " to 10000"), func(b *testing.B) {
			m := take(b, pipeline(b, graph.MaxKeyGroups, [4]int{old, old, old, old}), rand.New(rand.NewPCG(1, 1)), 20_000).manifest
			plan := pipeline(b, graph.MaxKeyGroups, [4]int{10_000, 10_000, 10_000, 10_000})
			for b.Loop() {
				if _, err := PlanRestore(m, plan); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// Three checkpoints are retained and one goes.
func BenchmarkGarbage(b *testing.B) {
	var stored, kept []string
	for id := range uint64(4) {
		for i := range 10_000 {
			stored = append(stored, TaskKey(id, graph.TaskID{Subtask: i}, 1, 1))
		}
	}
	kept = stored[10_000:]
	for b.Loop() {
		if g := Garbage(stored, kept, 3, 1); len(g) != 10_000 {
			b.Fatalf("%d objects", len(g))
		}
	}
}

// One task read 10,000 splits, and every other one of them goes elsewhere.
func BenchmarkCutPart(b *testing.B) {
	p := Part{Operator: "source"}
	var mine []string
	for i := range 10_000 {
		p.Items = append(p.Items, Item{fmt.Sprint("split ", i), []byte("12345678")})
		if i%2 == 0 {
			mine = append(mine, p.Items[i].Name)
		}
	}
	data, err := EncodeParts([]Part{p})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if cut, err := CutPart(data, "source", graph.Range{}, mine); err != nil || len(cut.Items) != len(mine) {
			b.Fatal(len(cut.Items), err)
		}
	}
}
