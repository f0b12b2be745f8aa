package files

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"blink/operator"
)

// Row is one line of a CSV file under its header line. A row is one line: a quoted cell
// may hold commas and quotes, but no line end.
type Row struct {
	Line
	// Cells are the columns that were asked for, in that order; nil if there is a Problem.
	Cells []string
	// Problem says why the line is no row under the file's header; empty if it is one.
	Problem string
}

// rowSplits finds the columns in the header line of each file.
func (in Input) rowSplits(ctx context.Context, fsys operator.FS, columns []string) ([]Split, error) {
	all, err := in.splits(ctx, fsys)
	if err != nil {
		return nil, err
	}
	for i := range all {
		if err := in.readHeader(fsys, &all[i], columns); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// readHeader moves the split behind its header line.
func (in Input) readHeader(fsys operator.FS, s *Split, columns []string) error {
	l, err := in.openLines(fsys, *s)
	if err != nil {
		return err
	}
	defer l.close()
	line, err := l.next()
	if err == io.EOF {
		return fmt.Errorf("read %s: it is empty: a header line with the columns %s is needed", s.Path, strings.Join(columns, ","))
	}
	if err != nil {
		return err
	}
	if line.Cut {
		return fmt.Errorf("read %s: header line: %s", s.Path, tooLong)
	}
	header, err := cells(strings.TrimPrefix(line.Text, "\ufeff"))
	if err != nil {
		return fmt.Errorf("read %s: header line: %w", s.Path, err)
	}
	*s = l.at
	s.Width = len(header)
	return s.locate(header, columns)
}

func (s *Split) locate(header, columns []string) error {
	var missing, twice []string
	for _, c := range columns {
		i := slices.Index(header, c)
		if i < 0 {
			missing = append(missing, fmt.Sprintf("%q", c))
		}
		if slices.Contains(header[i+1:], c) {
			twice = append(twice, fmt.Sprintf("%q", c))
		}
		s.Columns = append(s.Columns, i)
	}
	if twice != nil {
		return fmt.Errorf("read %s: the header line has more than one column %s: it has %s", s.Path, strings.Join(twice, ", "), strings.Join(header, ","))
	}
	if missing != nil {
		return fmt.Errorf("read %s: the header line has no column %s; it has %s", s.Path, strings.Join(missing, ", "), strings.Join(header, ","))
	}
	return nil
}

// row makes a Row of the line that was just read.
func (s *Split) row(l Line) Row {
	r := Row{Line: l}
	if l.Cut {
		r.Problem = tooLong
		return r
	}
	all, err := cells(l.Text)
	switch {
	case err != nil:
		r.Problem = err.Error()
	case len(all) != s.Width:
		r.Problem = fmt.Sprintf("%d columns, the header has %d", len(all), s.Width)
	default:
		r.Cells = pick(all, s.Columns)
	}
	return r
}

const tooLong = "longer than 1 MiB"

func pick(all []string, columns []int) []string {
	picked := make([]string, len(columns))
	for i, c := range columns {
		picked[i] = all[c]
	}
	return picked
}

// cells cuts a line at its commas, honouring quotes as RFC 4180 has them.
func cells(text string) ([]string, error) {
	if !strings.Contains(text, `"`) {
		return strings.Split(text, ","), nil
	}
	all, err := csv.NewReader(strings.NewReader(text)).Read()
	if err != nil {
		return nil, errors.New("the quotes do not match")
	}
	return all, nil
}
