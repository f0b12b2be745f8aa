package jobmaster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"blink/jobmaster/exec"
	"blink/snapshot"
	"blink/snapshot/store"
)

// What a new leader reads before it acts: the pointer, and what it leads to.

// jobState is what a leader finds.
type jobState struct {
	recovered exec.Recovered
	pointer   string
	manifest  string  // of the newest complete checkpoint
	over      *Result // of this run, or of the job that has finished
}

func readJob(ctx context.Context, config Config) (s jobState, err error) {
	if s.pointer, err = config.Leader.Pointer(ctx, config.Job); err != nil {
		return s, fmt.Errorf("read the pointer: %w", err)
	}
	s.manifest = s.pointer
	if strings.HasPrefix(s.pointer, resultPrefix) {
		result, err := readResult(ctx, config, s.pointer)
		if err != nil {
			return s, err
		}
		s.manifest = result.Checkpoint
		if result.Run == config.Run || result.State == exec.JobFinished {
			s.over = result
		}
	}
	r := &s.recovered
	if s.manifest != "" {
		if *r, err = readCheckpoints(ctx, config, s.manifest); err != nil {
			return s, err
		}
	}
	if s.over != nil {
		r.Over = &exec.Finish{State: s.over.State, Reason: s.over.Reason, Stuck: s.over.Stuck}
	}
	if r.Splits, err = readSplits(ctx, config); err != nil {
		return s, err
	}
	r.Executors, err = config.Resources.Executors(ctx, config.Job)
	if err != nil {
		return s, fmt.Errorf("list the executors: %w", err)
	}
	return s, nil
}

// errDamaged is an object that is there and cannot be read as what it should be.
var errDamaged = errors.New("damaged object")

func readResult(ctx context.Context, config Config, key string) (*Result, error) {
	data, err := config.Store.Get(ctx, key)
	if errors.Is(err, store.ErrNotFound) { // nothing deletes what the pointer names
		return nil, fmt.Errorf("%w %s: %w", errDamaged, key, err)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", key, err)
	}
	result := &Result{}
	if err := json.Unmarshal(data, result); err != nil {
		return nil, fmt.Errorf("%w %s: %w", errDamaged, key, err)
	}
	return result, nil
}

// readCheckpoints reads the newest complete checkpoint's manifest and those retained beside
// it. When the newest is unusable, which ones were older is found among the objects.
func readCheckpoints(ctx context.Context, config Config, key string) (r exec.Recovered, err error) {
	r.Newest, _ = snapshot.CheckpointOf(key)
	newest, err := readManifest(ctx, config, key)
	if err != nil && !unusable(err) {
		return r, err
	}
	var older []string
	if err != nil {
		r.Broken = err.Error()
		keys, err := config.Store.List(ctx, snapshot.CheckpointsPrefix)
		if err != nil {
			return r, err
		}
		older = snapshot.ManifestsBefore(keys, key)
	} else {
		older = newest.Older
	}
	for _, k := range slices.Backward(older) {
		m, err := readManifest(ctx, config, k)
		if err == nil {
			r.Manifests = append(r.Manifests, m)
		} else if !unusable(err) {
			return r, err
		}
	}
	if newest != nil {
		r.Manifests = append(r.Manifests, newest)
	}
	return r, nil
}

var errManifest = errors.New("unusable checkpoint")

func unusable(err error) bool {
	return errors.Is(err, errManifest) || errors.Is(err, store.ErrNotFound)
}

func readManifest(ctx context.Context, config Config, key string) (*snapshot.Manifest, error) {
	data, err := config.Store.Get(ctx, key)
	if err != nil {
		return nil, err
	}
	m, err := snapshot.DecodeManifest(data)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", errManifest, key, err)
	}
	return m, nil
}

// splitsKey is the object that holds the splits of every source, once for a job.
const splitsKey = "splits"

func readSplits(ctx context.Context, config Config) ([]exec.Splits, error) {
	data, err := config.Store.Get(ctx, splitsKey)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var parts []snapshot.Part
	if data, err = snapshot.Unseal(data); err == nil {
		parts, err = snapshot.DecodeParts(data)
	}
	if err != nil {
		return nil, fmt.Errorf("%w %s: %w", errDamaged, splitsKey, err)
	}
	splits := []exec.Splits{}
	for _, p := range parts {
		splits = append(splits, exec.Splits{Operator: p.Operator, Items: p.Items})
	}
	return splits, nil
}
