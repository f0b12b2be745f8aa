package job

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"blink/cluster"
)

func TestResultShowsWorstWindowsAndRainAgainstDry(t *testing.T) {
	out := t.TempDir()
	for name, text := range map[string]string{
		windowsFile: "window_start,window_end,origin,departed,cancelled,delay_sum_minutes,delay_max_minutes\n" +
			"2013-01-01T10:00:00Z,2013-01-01T11:00:00Z,EWR,0,1,0,\n" +
			"2013-01-01T10:15:00Z,2013-01-01T11:15:00Z,EWR,2,0,70,50\n",
		rainFile: "day,origin,rain_flights,rain_delay_minutes,dry_flights,dry_delay_minutes,unmatched_flights\n" +
			"2013-01-01,JFK,0,0,4,10,0\n2013-01-01,EWR,2,30,0,0,1\n2013-01-02,EWR,2,40,0,0,1\n",
	} {
		if err := os.WriteFile(filepath.Join(out, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	var text strings.Builder
	if err := ShowResult(&text, cluster.Result{Params: map[string]string{"out": out}}); err != nil {
		t.Fatal(err)
	}
	var rows []string
	for line := range strings.Lines(text.String()) {
		rows = append(rows, strings.Join(strings.Fields(line), " "))
	}
	all := strings.Join(rows, "\n")
	for _, want := range []string{
		"2013-01-01T10:15:00Z 2013-01-01T11:15:00Z EWR 2 0 70 50\n2013-01-01T10:00:00Z 2013-01-01T11:00:00Z EWR 0 1 0\n",
		"EWR 4 17.5 0 - 2\nJFK 0 - 4 2.5 0\n",
	} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is missing in\n%s", want, all)
		}
	}
}
