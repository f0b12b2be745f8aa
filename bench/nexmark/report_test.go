package nexmark

import (
	"strings"
	"testing"
)

const lines = `{"query":"q5","parallelism":1,"events":30000000,"generator_cpu_seconds":1,"loop_cpu_seconds":1.5,"cpu_seconds":3,"checkpoints":12,"allocs_per_event":0.01}
{"query":"q0","parallelism":1,"events":100000000,"checkpoint_interval_seconds":0.1,"generator_cpu_seconds":2,"loop_cpu_seconds":2,"cpu_seconds":9,"checkpoints":30}
{"query":"q0","parallelism":1,"events":100000000,"checkpoint_interval_seconds":0.1,"generator_cpu_seconds":2,"loop_cpu_seconds":2,"cpu_seconds":2.4,"checkpoints":20}
{"query":"q0","parallelism":1,"events":100000000,"checkpoint_interval_seconds":0.1,"generator_cpu_seconds":2,"loop_cpu_seconds":2,"cpu_seconds":2.2,"checkpoints":25}
{"query":"q0","parallelism":2,"events":100000000,"checkpoint_interval_seconds":0.1,"generator_cpu_seconds":2,"loop_cpu_seconds":2,"cpu_seconds":2.9,"checkpoints":25}
{"query":"q21","parallelism":2,"events":2500000,"generator_cpu_seconds":2,"loop_cpu_seconds":2,"cpu_seconds":3,"checkpoints":25}
{"query":"q22","parallelism":1,"events":100000000,"checkpoint_interval_seconds":0.1,"generator_cpu_seconds":2,"loop_cpu_seconds":2,"cpu_seconds":3,"checkpoints":25}
`

func TestAReportHasTheMediansBesideTheGoals(t *testing.T) {
	r, err := ReadReport(strings.NewReader(lines))
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Join([]string{
		"| q0 | 100 M | 20.0 | 0.00 | 0.20 | 0.25 | 0.45 ! | 0.375 | 0.85 |  | 0.000 | 20 | 100 ms |",
		"| q5 | 30 M | 33.3 | 0.50 | 2.00 ! | 1.8 |  | 2.7 | 34 | 12 | 0.010 | 12 |  |",
		"| q21 | 2.5 M | 800.0 | 0.00 |  |  | 0.50 |  |  |  |  |  |  |",
		"| q22 | 100 M | 20.0 | 0.00 | 0.50 |  |  |  |  |  | 0.000 | 25 | 100 ms |",
	}, "\n") + "\n"
	if _, have, _ := strings.Cut(r.Table(), "--- |\n"); have != want {
		t.Errorf("have\n%s\nwant\n%s", have, want)
	}
	var svg strings.Builder
	if err := r.Plot(&svg); err != nil || !strings.Contains(svg.String(), "<svg") || !strings.Contains(svg.String(), ">q22<") {
		t.Errorf("%v: %.200s", err, svg.String())
	}
}

func TestAReportRefusesWhatIsNoResult(t *testing.T) {
	for _, text := range []string{"", "hello", "{}", lines + `{"query":"q99","events":1,"generator_cpu_seconds":1}`,
		lines + `{"query":"q0","parallelism":2,"events":1000,"checkpoint_interval_seconds":0.1,"generator_cpu_seconds":1,"checkpoints":10}`,
		lines + `{"query":"q0","parallelism":2,"events":100000000,"checkpoint_interval_seconds":0.1,"generator_cpu_seconds":1,"checkpoints":10,"restarts":1}`,
		lines + `{"query":"q0","parallelism":2,"events":100000000,"checkpoint_interval_seconds":0.1,"generator_cpu_seconds":1,"checkpoints":9}`,
		lines + `{"query":"q0","parallelism":2,"events":100000000,"checkpoint_interval_seconds":0.1,"generator_cpu_seconds":1,"checkpoints":10,"gogc":100}`,
		lines + `{"query":"q0","parallelism":2,"events":100000000,"checkpoint_interval_seconds":0.1,"generator_cpu_seconds":1,"checkpoints":10,"processors":1}`,
		lines + `{"query":"q0","parallelism":2,"events":100000000,"checkpoint_interval_seconds":0.1,"generator_cpu_seconds":1,"checkpoints":10,"full":"00"}`,
		lines + `{"query":"q0","parallelism":2,"events":100000000,"checkpoint_interval_seconds":1,"generator_cpu_seconds":1,"checkpoints":10}`} {
		if _, err := ReadReport(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), "line ") {
			t.Errorf("%.20s: %v", text, err)
		}
	}
}
