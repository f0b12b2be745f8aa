import subprocess,sys,os
E='/tmp/mut/jobmaster/exec/'
M=[
('barrier gone','region.go','return mutate.On(mutate.RestartWithoutBarrier) || m.all','return true || m.all'),
('held','region.go','func (m *Machine) held() bool { return m.cp.step == advancing }','func (m *Machine) held() bool { return false }'),
('attempt fence in takeAck','checkpoint.go','a.Attempt != t.attempt && !mutate.On(mutate.AttemptFence)','false'),
('node fence in takeAck','checkpoint.go','if a.node != t.slot.Node {','if false {'),
('stale report','reconcile.go','if !mutate.On(mutate.TrustStaleReport) {','if false {'),
('session on loss','reconcile.go','			e.session++ // what we sent in the old one is refused from now on\n',''),
('drift/lease','reconcile.go','heard.Add(m.o.Lease + m.o.Drift)','heard.Add(m.o.Lease / 2)'),
('reconcile waits for all','reconcile.go','if !e.obeys && !e.lost {\n			return','if false {\n			return'),
('adopt needs one attempt','reconcile.go','t.attempt == r.tasks[0].attempt && t.report.Epoch == r.tasks[0].report.Epoch','true'),
('adopt needs one claim','reconcile.go','len(t.claims) == 1 &&','len(t.claims) >= 1 &&'),
('older epochs reports','reconcile.go','if r.Epoch < m.spec.Epoch {','if false {'),
('delete before pointer','checkpoint.go','if mutate.On(mutate.DeleteBeforePointer) {','if true {'),
('collect keeps only newest','checkpoint.go','for _, man := range m.cp.retained {','for _, man := range m.cp.retained[max(0, len(m.cp.retained)-1):] {'),
('highest from acks','checkpoint.go','m.cp.highest = max(m.cp.highest, a.Checkpoint)','_ = a'),
('cancelAll waits for reconcile','finish.go','if m.phase != reconciling {','if true {'),
('sweep waits for pointer','finish.go','if m.cp.step == advancing {\n		m.readvance() // the pointer','if false {\n		m.readvance() // the pointer'),
('leaving waits for gone','finish.go','		if !m.gone(r) {\n			return\n		}\n',''),
('resend','machine.go','if t.deploy != nil && t.region.phase == deploying {','if false {'),
('resend trigger','checkpoint.go','if m.cp.step == gathering {\n		m.trigger()','if false {\n		m.trigger()'),
('all regions fail together','region.go','	m.cancelRegion(r)\n	m.abort("region','	for _, r := range m.regions {\n		m.cancelRegion(r)\n	}\n	m.abort("region'),
('abort while advancing','checkpoint.go','if m.cp.step != gathering && m.cp.step != storing {','if m.cp.step == none {'),
('no abort on failure','region.go','	m.abort("region " + "failed: " + reason)\n','	m.abort0(reason)\n'),
('readvance','checkpoint.go','c.retryAt = time.Time{}\n		m.advance()','c.retryAt = time.Time{}'),
('stop once more','finish.go','		m.cp.last = 0\n	case','		_ = m\n	case'),
('blocking ready','region.go','return in.phase != up || !m.all(in, func(t *task) bool { return t.state == Ended })','return in.phase != up'),
('partition readers','region.go','			m.fail(r, "its input was lost")','			_ = r'),
('final after the end','checkpoint.go','c.last == 0:\n		m.begin(false, true)','c.last == 0:\n		m.begin(false, false)'),
('forget region fails','reconcile.go','	for _, r := range struck {\n		m.fail(r, why)\n	}\n','	_ = struck\n'),
('incarnation','reconcile.go','if r.Incarnation != e.incarnation {','if false {'),
('deploy attempt+1','region.go','	r.attempt++\n','	if r.attempt == 0 {\n		r.attempt++\n	}\n'),
('cancel unwanted','reconcile.go','case !ours && r.State.live():','case false:'),
('struck once','region.go','if !m.struck {','if true {'),
('backoff','region.go','if !m.held() && !m.now.Before(r.retryAt) {','if !m.held() {'),
('up needs running','region.go','return t.state.live() && t.state != Deploying','return t.state.live()'),
('checkpoint needs all up','checkpoint.go','if c.step != none || m.phase != active || !m.everyRegion(up) {','if c.step != none || m.phase != active {'),
('timeout of gathering','checkpoint.go','if m.now.Sub(c.began) >= m.o.CheckpointTimeout {','if false {'),
('early acks','checkpoint.go','	for _, a := range early {\n		m.takeAck(a)\n	}\n','	_ = early\n'),
('resume only if all adopted','checkpoint.go','	if !m.everyRegion(deploying) {\n		c.concluded = c.highest\n		return\n	}\n',''),
('commit waits','finish.go','if !m.allCommitted() {\n		return','if false {\n		return'),
('restores newest','region.go','newest := m.cp.retained[n-1]','newest := m.cp.retained[0]'),
]
env=dict(os.environ,GOTOOLCHAIN='auto')
only=sys.argv[1:]
for name,f,a,b in M:
    if only and name not in only: continue
    p=E+f
    s=open(p).read()
    if s.count(a)!=1:
        print('??',name,s.count(a)); continue
    try:
        t=s.replace(a,b)
        if name=='no abort on failure': t+='\nfunc (m *Machine) abort0(string) {}\n'
        open(p,'w').write(t)
        res={}
        for test in ('Promises','Stories'):
            r=subprocess.run(['go','test','./jobmaster/exec','-run',test,'-timeout','120s'],cwd='/tmp/mut',env=env,capture_output=True,text=True)
            out=(r.stdout+r.stderr)
            if 'build failed' in out or 'vet:' in out: res[test]='BUILD '+out[:300]
            elif r.returncode==0: res[test]='green'
            else:
                l=[x.strip() for x in out.splitlines() if ('_test.go' in x or 'panic' in x or '--- FAIL' in x)]
                res[test]='red '+ (next((x for x in l if 'property_test' in x),l[0])[:150] if test=='Promises' else str(sum('    --- FAIL' in x for x in out.splitlines()))+' stories')
        print(f"{name:32} | {res['Promises']} | {res['Stories']}",flush=True)
    finally:
        open(p,'w').write(s)
