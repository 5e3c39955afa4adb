# rank.gnuplot: gnuplot rank.gnuplot draws rank.pdf, 3.25 in wide
set encoding utf8
set terminal pdfcairo size 3.25in,4.90in font 'Helvetica,7' fontscale 1 linewidth 0.8
set output 'rank.pdf'
set key above left Left reverse noenhanced samplen 2 font ',6'
set tics nomirror out scale 0.6 font ',5.5'
set title font ',6.5' offset 0,-0.6
set border 3
set multiplot layout 2,1 title 'How often rank J = m at random weights' noenhanced
$s0_0 << END
 0.0540540541 1 1 1
 0.135135135 1 1 1
 0.216216216 1 1 1
 0.297297297 1 1 1
 0.378378378 1 1 1
 0.459459459 1 1 1
 0.513513514 1 1 1
 0.594594595 1 1 1
 0.675675676 1 1 1
 0.756756757 1 1 1
 0.837837838 1 1 1
 0.918918919 1 1 1
 1 1 1 1
 1.05405405 0 0 0
 1.13513514 0 0 0
 1.21621622 0 0 0
 1.2972973 0 0 0
END
$s0_1 << END
 0.0684931507 1 1 1
 0.150684932 1 1 1
 0.219178082 1 1 1
 0.301369863 1 1 1
 0.383561644 1 1 1
 0.452054795 1 1 1
 0.534246575 1 1 1
 0.602739726 1 1 1
 0.684931507 1 1 1
 0.767123288 1 1 1
 0.835616438 1 1 1
 0.917808219 1 1 1
 1 1 1 1
 1.06849315 0 0 0
 1.15068493 0 0 0
 1.21917808 0 0 0
 1.30136986 0 0 0
END
$s0_2 << END
 0.075862069 1 1 1
 0.151724138 1 1 1
 0.227586207 1 1 1
 0.303448276 1 1 1
 0.379310345 1 1 1
 0.455172414 1 1 1
 0.537931034 1 1 1
 0.613793103 1 1 1
 0.689655172 1 1 1
 0.765517241 1 1 1
 0.84137931 1 1 1
 0.917241379 1 1 1
 1 1 1 1
 1.07586207 0 0 0
 1.15172414 0 0 0
 1.22758621 0 0 0
 1.30344828 0 0 0
END
$s0_3 << END
 0.0761245675 1 1 1
 0.152249135 1 1 1
 0.228373702 1 1 1
 0.30449827 1 1 1
 0.384083045 1 1 1
 0.460207612 1 1 1
 0.53633218 1 1 1
 0.612456747 1 1 1
 0.692041522 1 1 1
 0.76816609 1 1 1
 0.844290657 1 1 1
 0.920415225 1 1 1
 1 1 1 1
 1.07612457 0 0 0
 1.15224913 0 0 0
 1.2283737 0 0 0
 1.30449827 0 0 0
END
$s0_4 << END
 1 0 0 0
 1 1 1 1
END
unset logscale x; unset nonlinear x; set autoscale x; set xtics autofreq; set format x '%g'
set xrange [*:*] noreverse
set xlabel 'm / n' noenhanced
unset logscale y; unset nonlinear y; set autoscale y; set ytics autofreq; set format y '%g'
set yrange [*:*] noreverse
set ylabel 'share of seeds' noenhanced
set title 'erf' noenhanced
plot $s0_0 using 1:2 with lines lc rgb '#56b4e9' dt 1 lw 1.5 title 'width 3' noenhanced, \
  $s0_1 using 1:2 with lines lc rgb '#0072b2' dt 2 lw 1.5 title 'width 6' noenhanced, \
  $s0_2 using 1:2 with lines lc rgb '#009e73' dt 1 lw 1.5 title 'width 12' noenhanced, \
  $s0_3 using 1:2 with lines lc rgb '#d55e00' dt 2 lw 1.5 title 'width 24' noenhanced, \
  $s0_4 using 1:2 with lines lc rgb '#000000' dt 1 lw 1.5 title 'n = m' noenhanced
$s1_0 << END
 0.0540540541 1 1 1
 0.135135135 0.8 0.8 0.8
 0.216216216 0.7 0.7 0.7
 0.297297297 0.55 0.55 0.55
 0.378378378 0.35 0.35 0.35
 0.459459459 0.35 0.35 0.35
 0.513513514 0.35 0.35 0.35
 0.594594595 0.3 0.3 0.3
 0.675675676 0.25 0.25 0.25
 0.756756757 0.25 0.25 0.25
 0.837837838 0.1 0.1 0.1
 0.918918919 0.1 0.1 0.1
 1 0.05 0.05 0.05
 1.05405405 0 0 0
 1.13513514 0 0 0
 1.21621622 0 0 0
 1.2972973 0 0 0
END
$s1_1 << END
 0.0684931507 0.9 0.9 0.9
 0.150684932 0.75 0.75 0.75
 0.219178082 0.7 0.7 0.7
 0.301369863 0.6 0.6 0.6
 0.383561644 0.65 0.65 0.65
 0.452054795 0.6 0.6 0.6
 0.534246575 0.65 0.65 0.65
 0.602739726 0.55 0.55 0.55
 0.684931507 0.45 0.45 0.45
 0.767123288 0.45 0.45 0.45
 0.835616438 0.45 0.45 0.45
 0.917808219 0.35 0.35 0.35
 1 0.35 0.35 0.35
 1.06849315 0 0 0
 1.15068493 0 0 0
 1.21917808 0 0 0
 1.30136986 0 0 0
END
$s1_2 << END
 0.075862069 1 1 1
 0.151724138 1 1 1
 0.227586207 1 1 1
 0.303448276 1 1 1
 0.379310345 1 1 1
 0.455172414 1 1 1
 0.537931034 1 1 1
 0.613793103 1 1 1
 0.689655172 1 1 1
 0.765517241 1 1 1
 0.84137931 1 1 1
 0.917241379 0.9 0.9 0.9
 1 0.6 0.6 0.6
 1.07586207 0 0 0
 1.15172414 0 0 0
 1.22758621 0 0 0
 1.30344828 0 0 0
END
$s1_3 << END
 0.0761245675 1 1 1
 0.152249135 1 1 1
 0.228373702 1 1 1
 0.30449827 1 1 1
 0.384083045 1 1 1
 0.460207612 1 1 1
 0.53633218 1 1 1
 0.612456747 1 1 1
 0.692041522 1 1 1
 0.76816609 1 1 1
 0.844290657 1 1 1
 0.920415225 1 1 1
 1 0.55 0.55 0.55
 1.07612457 0 0 0
 1.15224913 0 0 0
 1.2283737 0 0 0
 1.30449827 0 0 0
END
$s1_4 << END
 1 0 0 0
 1 1 1 1
END
unset logscale x; unset nonlinear x; set autoscale x; set xtics autofreq; set format x '%g'
set xrange [*:*] noreverse
set xlabel 'm / n' noenhanced
unset logscale y; unset nonlinear y; set autoscale y; set ytics autofreq; set format y '%g'
set yrange [*:*] noreverse
set ylabel 'share of seeds' noenhanced
set title 'smoolu' noenhanced
plot $s1_0 using 1:2 with lines lc rgb '#56b4e9' dt 1 lw 1.5 title 'width 3' noenhanced, \
  $s1_1 using 1:2 with lines lc rgb '#0072b2' dt 2 lw 1.5 title 'width 6' noenhanced, \
  $s1_2 using 1:2 with lines lc rgb '#009e73' dt 1 lw 1.5 title 'width 12' noenhanced, \
  $s1_3 using 1:2 with lines lc rgb '#d55e00' dt 2 lw 1.5 title 'width 24' noenhanced, \
  $s1_4 using 1:2 with lines lc rgb '#000000' dt 1 lw 1.5 title 'n = m' noenhanced
unset multiplot
