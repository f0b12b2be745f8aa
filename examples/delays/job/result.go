package job

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"text/tabwriter"

	"blink/cluster"
)

// ShowResult prints the ten worst windows, and rain against dry by airport.
func ShowResult(to io.Writer, r cluster.Result) error {
	windows, err := readTable(filepath.Join(r.Params["out"], windowsFile))
	if err != nil {
		return err
	}
	days, err := readTable(filepath.Join(r.Params["out"], rainFile))
	if err != nil {
		return err
	}
	t := tabwriter.NewWriter(to, 0, 0, 2, ' ', tabwriter.AlignRight)
	showWorst(t, windows)
	showRain(t, days)
	return t.Flush()
}

// table is a CSV file by the names of its columns.
type table struct {
	column map[string]int
	rows   [][]string
}

func readTable(name string) (table, error) {
	f, err := os.Open(name)
	if err != nil {
		return table{}, err
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return table{}, fmt.Errorf("%s: %w", name, err)
	}
	t := table{map[string]int{}, rows[1:]}
	for i, c := range rows[0] {
		t.column[c] = i
	}
	return t, nil
}

func (t table) text(row []string, column string) string { return row[t.column[column]] }

// number is 0 for an empty cell.
func (t table) number(row []string, column string) int64 {
	n, _ := strconv.ParseInt(t.text(row, column), 10, 64)
	return n
}

// worst is how many windows are shown.
const worst = 10

func showWorst(to io.Writer, t table) {
	slices.SortFunc(t.rows, func(a, b []string) int {
		return cmp.Or(
			-cmp.Compare(t.number(a, "delay_sum_minutes"), t.number(b, "delay_sum_minutes")),
			cmp.Compare(t.text(a, "window_start"), t.text(b, "window_start")),
			cmp.Compare(t.text(a, "origin"), t.text(b, "origin")))
	})
	fmt.Fprintln(to, "The windows with most delay")
	fmt.Fprintln(to, "from\tto\torigin\tdeparted\tcancelled\tdelay, min\tlongest, min\t")
	for _, row := range t.rows[:min(worst, len(t.rows))] {
		for _, c := range []string{"window_start", "window_end", "origin", "departed", "cancelled", "delay_sum_minutes", "delay_max_minutes"} {
			fmt.Fprintf(to, "%s\t", t.text(row, c))
		}
		fmt.Fprintln(to)
	}
	fmt.Fprintln(to)
}

// sum is what the days of an airport come to.
type sum struct{ rain, rainDelay, dry, dryDelay, unmatched int64 }

func showRain(to io.Writer, t table) {
	sums := map[string]*sum{}
	for _, row := range t.rows {
		s := sums[t.text(row, "origin")]
		if s == nil {
			s = &sum{}
			sums[t.text(row, "origin")] = s
		}
		s.rain += t.number(row, "rain_flights")
		s.rainDelay += t.number(row, "rain_delay_minutes")
		s.dry += t.number(row, "dry_flights")
		s.dryDelay += t.number(row, "dry_delay_minutes")
		s.unmatched += t.number(row, "unmatched_flights")
	}
	fmt.Fprintln(to, "Rain against dry")
	fmt.Fprintln(to, "origin\tin rain\tmean delay, min\tdry\tmean delay, min\tno weather\t")
	for _, origin := range slices.Sorted(maps.Keys(sums)) {
		s := sums[origin]
		fmt.Fprintf(to, "%s\t%d\t%s\t%d\t%s\t%d\t\n", origin, s.rain, mean(s.rainDelay, s.rain), s.dry, mean(s.dryDelay, s.dry), s.unmatched)
	}
	fmt.Fprintln(to)
}

func mean(total, n int64) string {
	if n == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f", float64(total)/float64(n))
}
