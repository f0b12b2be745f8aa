package nexmark

import (
	"image/color"
	"io"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// The size of a plot.
const (
	plotWidth  = 22 * vg.Centimeter
	plotHeight = 12 * vg.Centimeter
)

// least is where the axis of costs begins: a plain loop may cost nothing, or less than the
// noise of the generator.
const least = 0.01

// Plot draws the costs beside those of a plain loop and of Flink, and the goals, as SVG. The
// axis is logarithmic.
func (r Report) Plot(to io.Writer) error {
	p := plot.New()
	p.Title.Text = "Nexmark: CPU time for an event, without the generator's"
	p.Y.Label.Text = "in units of the bare generator"
	p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
	p.Y.Min, p.Y.Max = least, 100
	p.Legend.Top, p.Legend.Left = true, true
	names := make([]string, len(r.queries))
	for i, m := range r.queries {
		names[i] = m.query
	}
	p.NominalX(names...)
	p.Add(plotter.NewGrid())
	for _, s := range []struct {
		name  string
		shape draw.GlyphDrawer
		color color.Color
		of    func(m queryCosts) float64
	}{
		{"Blink, p = 1", draw.CircleGlyph{}, color.RGBA{R: 20, G: 90, B: 200, A: 255}, func(m queryCosts) float64 { return m.costs[1].cost }},
		{"Blink, p = 2", draw.RingGlyph{}, color.RGBA{R: 20, G: 90, B: 200, A: 255}, func(m queryCosts) float64 { return m.costs[2].cost }},
		{"goal, p = 1", draw.PlusGlyph{}, color.RGBA{R: 20, G: 140, B: 60, A: 255}, func(m queryCosts) float64 { return m.goal.Most }},
		{"Flink 2.3", draw.PyramidGlyph{}, color.RGBA{R: 210, G: 70, B: 20, A: 255}, func(m queryCosts) float64 { return m.goal.Flink }},
		{"Flink 2.3, by hand", draw.TriangleGlyph{}, color.RGBA{R: 210, G: 70, B: 20, A: 255}, func(m queryCosts) float64 { return m.goal.Hand }},
		{"plain loop", draw.CrossGlyph{}, color.Gray{Y: 110}, func(m queryCosts) float64 { return m.loop }},
	} {
		points := r.points(s.of)
		if len(points) == 0 {
			continue
		}
		dots, err := plotter.NewScatter(points)
		if err != nil {
			return err
		}
		dots.GlyphStyle = draw.GlyphStyle{Color: s.color, Radius: vg.Points(4), Shape: s.shape}
		p.Add(dots)
		p.Legend.Add(s.name, dots)
	}
	canvas := vgsvg.New(plotWidth, plotHeight)
	p.Draw(draw.New(canvas))
	_, err := canvas.WriteTo(to)
	return err
}

// points are the queries for which there is a figure.
func (r Report) points(of func(queryCosts) float64) (points plotter.XYs) {
	for i, m := range r.queries {
		if v := of(m); v != 0 {
			points = append(points, plotter.XY{X: float64(i), Y: math.Max(v, least)})
		}
	}
	return points
}
