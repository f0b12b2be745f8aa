package oracle

import (
	"fmt"
	"strings"

	"blink/connector/nexmark"
)

// defined are digests that another program has computed, from the same definition.
const defined = `
q0 920000 69a5a25bb571d369 37a800cad6f628d0
q1 920000 c8235e57882c6e73 df13a416f3948b06
q2 6932 587396fa7cda9734 4ff19133990c56c0
q3 5660 df97b5641c67b946 d66389935b572118
q4 55 56d657981b3a5d62 8c6d925547f82d62
q8 8456 3b67d53ef914f523 3c9fdd8fafc7d352
q18 755090 39eba8713ae38671 72d674d5334c641b
`

// million is the number of events of the defined digests.
const million = 1_000_000

// Known is the digest of a query's result on the first events that was computed elsewhere.
func Known(query string, events uint64) (d nexmark.Digest, ok bool) {
	_, line, found := strings.Cut(defined, "\n"+query+" ")
	if !found || events != million {
		return nexmark.Digest{}, false
	}
	if _, err := fmt.Sscanf(line, "%d %x %x", &d.Rows, &d.Cheap, &d.Full); err != nil {
		panic(err) // the text above is constant
	}
	return d, true
}
