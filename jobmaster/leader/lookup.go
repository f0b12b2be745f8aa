package leader

import (
	"context"
	"strings"
)

// Address is the value that a candidate stores with the key: where its actor is. The name of a
// node has no slash.
func Address(node, id string) string { return node + "/" + id }

// Lookup finds the candidate that leads. Safe for concurrent use.
type Lookup struct{ Service Service }

// Leader returns the actor of the candidate that holds the key of a job; vacant: nobody does.
// The error is that of Service.Get.
func (l Lookup) Leader(ctx context.Context, job string) (node, id string, vacant bool, err error) {
	e, err := l.Service.Get(ctx, job)
	if err != nil || e.Session == "" {
		return "", "", true, err
	}
	node, id, _ = strings.Cut(e.Value, "/")
	return node, id, false, nil
}
