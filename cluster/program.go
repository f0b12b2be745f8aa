package cluster

import (
	"blink"
	"blink/graph"
	"blink/operator"
)

// job is a program as the verbs see it.
type job struct {
	name string
	// build runs the user's Build with the parameters given; others have their defaults.
	build func(given map[string]string) (*operator.Program, error)
}

func jobs(programs []blink.Program) []job {
	all := make([]job, len(programs))
	for i, p := range programs {
		all[i] = job{p.Name, p.Describe}
	}
	return all
}

// asked are the parameters that Build declares when it is given none.
func (p job) asked() ([]graph.Param, error) {
	built, err := p.build(nil)
	if err != nil {
		return nil, err
	}
	return built.Job.Params, nil
}
