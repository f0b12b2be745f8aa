package files

import (
	"context"
	"strings"
	"testing"
)

func rowsOf(t *testing.T, in Input, columns ...string) []Row {
	t.Helper()
	all, err := in.rowSplits(context.Background(), OS(), columns)
	if err != nil {
		t.Fatal(err)
	}
	texts, after, err := readAll(in, all[0])
	if err != nil {
		t.Fatal(err)
	}
	rows := make([]Row, len(texts))
	for i := range texts {
		rows[i] = after[i].row(Line{File: after[i].Path, Number: after[i].Number, Text: texts[i]})
	}
	return rows
}

func TestColumnsAreFoundByNameInAnyOrder(t *testing.T) {
	in := Embedded("x.csv", []byte("\ufeffc,\"a\",b\r\n1,\"2,\"\"2\"\"\",3\r\n"))
	rows := rowsOf(t, in, "a", "c")
	if len(rows) != 1 || rows[0].Number != 2 || rows[0].Problem != "" {
		t.Fatalf("rows %+v", rows)
	}
	same(t, rows[0].Cells, []string{`2,"2"`, "1"})
}

func TestLineThatIsNoRowHasItsProblem(t *testing.T) {
	rows := rowsOf(t, Embedded("x.csv", []byte("a,b\n1\n1,2,3\n\"1,2\n1,2\n")), "b")
	want := []string{"1 columns, the header has 2", "3 columns, the header has 2", "the quotes do not match", ""}
	for i, r := range rows {
		if r.Problem != want[i] || (r.Cells == nil) != (want[i] != "") {
			t.Errorf("row %+v, want problem %q", r, want[i])
		}
	}
}

func TestOverlongLineIsNoRow(t *testing.T) {
	long := strings.Repeat("x", maxLine+1)
	in := Embedded("x.csv", []byte("a,b\n"+long+"\n1,2\n"))
	all, err := in.rowSplits(context.Background(), OS(), []string{"b"})
	check(t, err)
	l, err := in.openLines(OS(), all[0])
	check(t, err)
	line, err := l.next()
	check(t, err)
	if r := l.at.row(line); r.Problem != "longer than 1 MiB" || r.Cells != nil || r.Text != long[:cutLine] || r.Number != 2 {
		t.Errorf("line %d, %d bytes, %q, %v", r.Number, len(r.Text), r.Problem, r.Cells)
	}
	line, err = l.next()
	check(t, err)
	same(t, l.at.row(line).Cells, []string{"2"})
	_, err = Embedded("x.csv", []byte(long)).rowSplits(context.Background(), OS(), []string{"a"})
	wantError(t, err, "read x.csv: header line: longer than 1 MiB")
}

func TestMissingAndRepeatedColumnsAndEmptyFilesAreNamed(t *testing.T) {
	_, err := Embedded("x.csv", []byte("a,b\n")).rowSplits(context.Background(), OS(), []string{"a", "when", "who"})
	wantError(t, err, "x.csv", `no column "when", "who"`, "it has a,b")
	_, err = Embedded("x.csv", []byte("a,b,a,b,c,c\n")).rowSplits(context.Background(), OS(), []string{"c", "a"})
	wantError(t, err, "x.csv", `more than one column "c", "a"`, "it has a,b,a,b,c,c")
	_, err = Embedded("x.csv", nil).rowSplits(context.Background(), OS(), []string{"a"})
	wantError(t, err, "x.csv", "it is empty")
}

func FuzzCellsAreWhatAppendCellWrote(f *testing.F) {
	f.Add("a", `"`, "b,c")
	f.Add("", "", "")
	f.Add(" a", "\r", `""`)
	f.Fuzz(func(t *testing.T, a, b, c string) {
		if strings.ContainsAny(a+b+c, "\r\n") {
			return
		}
		line := strings.TrimSuffix(string(appendLine(nil, []string{a, b, c})), "\n")
		have, err := cells(line)
		if err != nil {
			t.Fatal(err)
		}
		same(t, have, []string{a, b, c})
	})
}
