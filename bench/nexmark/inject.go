package nexmark

import (
	"fmt"
	"strconv"
	"strings"
)

// ofRows begins a drill with a share: digest reads the result's rows, and nothing else does.
const ofRows = "panic=digest@"

// checkShares finds what is wrong with the shares in drills. A drill is as cluster.RunOptions
// has it, or panic=digest@N%, which stands for a share of the result's rows: so one drill suits
// queries of many rows and of few.
func checkShares(drills []string) error {
	for _, d := range drills {
		switch what, share, ok := cutShare(d); {
		case ok && what != ofRows:
			return fmt.Errorf("--inject %s: a share is of the result's rows: want %sN%%", d, ofRows)
		case ok && (share < 1 || share > 99):
			return fmt.Errorf("--inject %s: a share of the rows is a whole number from 1%% to 99%%", d)
		}
	}
	return nil
}

// dueAt replaces shares by numbers of records. Of several tasks the one that gets most gets
// there.
func dueAt(drills []string, rows uint64, tasks int) []string {
	due := make([]string, len(drills))
	for i, d := range drills {
		due[i] = d
		if what, share, ok := cutShare(d); ok {
			due[i] = what + strconv.FormatUint(max(1, rows*share/100/uint64(tasks)), 10)
		}
	}
	return due
}

// cutShare cuts panic=digest@50% behind the @. A share that is no number is 0.
func cutShare(drill string) (what string, share uint64, ok bool) {
	text, ok := strings.CutSuffix(drill, "%")
	at := strings.LastIndexByte(text, '@') + 1
	share, _ = strconv.ParseUint(text[at:], 10, 8) // 0 when it fails
	return text[:at], share, ok
}
