package sim

import (
	"strings"

	"blink/actors"
	"blink/internal/mutate"
)

// route lets frames go to the attempts they were sent to. The mutation LateFrame hands one that
// comes after its attempt has ended to the attempt that runs then.
func route() func(at *actors.System, to actors.Ref) actors.Ref {
	if !mutate.On(mutate.LateFrame) {
		return nil
	}
	return func(at *actors.System, to actors.Ref) actors.Ref {
		task, _, _ := strings.Cut(to.ID, "@")
		for _, a := range at.List() {
			if strings.HasPrefix(a.Ref.ID, task+"@") {
				to = a.Ref
			}
		}
		return to
	}
}
