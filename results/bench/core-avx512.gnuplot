# core-avx512.gnuplot: gnuplot core-avx512.gnuplot draws core-avx512.pdf, 3.25 in wide
set encoding utf8
set terminal pdfcairo size 3.25in,7.20in font 'Helvetica,7' fontscale 1 linewidth 0.8
set output 'core-avx512.pdf'
set key above left Left reverse noenhanced samplen 2 font ',6'
set tics nomirror out scale 0.6 font ',5.5'
set title font ',6.5' offset 0,-0.6
set border 3
set multiplot layout 3,1 title 'Time of a step, tanh, n = 1117185' noenhanced
$s0_0 << END
 1000 0.1304 0.1304 0.1304
 2000 0.3693 0.3693 0.3693
 5000 1.894 1.894 1.894
 10000 8.312 8.312 8.312
END
$s0_1 << END
 1000 0.1077 0.1077 0.1077
 2000 0.3141 0.3141 0.3141
 5000 1.665 1.665 1.665
 10000 7.692 7.692 7.692
END
$s0_2 << END
 1000 0.04609 0.04609 0.04609
 2000 0.1799 0.1799 0.1799
 5000 1.066 1.066 1.066
 10000 4.217 4.217 4.217
END
$s0_3 << END
 1000 0.04271 0.04271 0.04271
 2000 0.1663 0.1663 0.1663
 5000 0.9903 0.9903 0.9903
 10000 3.979 3.979 3.979
END
unset logscale x; unset nonlinear x; set autoscale x; set xtics autofreq; set format x '%g'
set logscale x; set format x '10^{%T}'
set xrange [*:*] noreverse
set xlabel 'residuals m' noenhanced
unset logscale y; unset nonlinear y; set autoscale y; set ytics autofreq; set format y '%g'
set logscale y; set format y '10^{%T}'
set yrange [*:*] noreverse
set ylabel 'seconds' noenhanced
set title '1 rank' noenhanced
plot $s0_0 using 1:2 with points lc rgb '#0072b2' pt 7 ps 0.35 title 'one step' noenhanced, \
  $s0_1 using 1:2 with lines lc rgb '#0072b2' dt 2 lw 1.5 title 'its flops at the rate of dgemm' noenhanced, \
  $s0_2 using 1:2 with points lc rgb '#d55e00' pt 6 ps 0.35 title 'K alone' noenhanced, \
  $s0_3 using 1:2 with lines lc rgb '#d55e00' dt 2 lw 1.5 title 'its flops at the rate of dsyrk' noenhanced
$s1_0 << END
 1000 0.0821 0.0821 0.0821
 2000 0.226 0.226 0.226
 5000 1.115 1.115 1.115
 10000 4.69 4.69 4.69
END
$s1_1 << END
 1000 0.05658 0.05658 0.05658
 2000 0.1631 0.1631 0.1631
 5000 0.8665 0.8665 0.8665
 10000 4.118 4.118 4.118
END
$s1_2 << END
 1000 0.03524 0.03524 0.03524
 2000 0.1161 0.1161 0.1161
 5000 0.6207 0.6207 0.6207
 10000 2.308 2.308 2.308
END
$s1_3 << END
 1000 0.02147 0.02147 0.02147
 2000 0.08404 0.08404 0.08404
 5000 0.506 0.506 0.506
 10000 2.085 2.085 2.085
END
unset logscale x; unset nonlinear x; set autoscale x; set xtics autofreq; set format x '%g'
set logscale x; set format x '10^{%T}'
set xrange [*:*] noreverse
set xlabel 'residuals m' noenhanced
unset logscale y; unset nonlinear y; set autoscale y; set ytics autofreq; set format y '%g'
set logscale y; set format y '10^{%T}'
set yrange [*:*] noreverse
set ylabel 'seconds' noenhanced
set title '2 ranks' noenhanced
plot $s1_0 using 1:2 with points lc rgb '#0072b2' pt 7 ps 0.35 title 'one step' noenhanced, \
  $s1_1 using 1:2 with lines lc rgb '#0072b2' dt 2 lw 1.5 title 'its flops at the rate of dgemm' noenhanced, \
  $s1_2 using 1:2 with points lc rgb '#d55e00' pt 6 ps 0.35 title 'K alone' noenhanced, \
  $s1_3 using 1:2 with lines lc rgb '#d55e00' dt 2 lw 1.5 title 'its flops at the rate of dsyrk' noenhanced
$s2_0 << END
 1 0.1304 0.1304 0.1304
 2 0.0821 0.0821 0.0821
END
$s2_1 << END
 1 0.1304 0.1304 0.1304
 2 0.0652 0.0652 0.0652
END
$s2_2 << END
 1 8.312 8.312 8.312
 2 4.69 4.69 4.69
END
$s2_3 << END
 1 8.312 8.312 8.312
 2 4.156 4.156 4.156
END
unset logscale x; unset nonlinear x; set autoscale x; set xtics autofreq; set format x '%g'
set logscale x; set format x '10^{%T}'
set xrange [*:*] noreverse
set xlabel 'ranks' noenhanced
unset logscale y; unset nonlinear y; set autoscale y; set ytics autofreq; set format y '%g'
set logscale y; set format y '10^{%T}'
set yrange [*:*] noreverse
set ylabel 'seconds' noenhanced
set title '' noenhanced
plot $s2_0 using 1:2 with points lc rgb '#009e73' pt 6 ps 0.35 title 'one step, least m' noenhanced, \
  $s2_1 using 1:2 with lines lc rgb '#009e73' dt 2 lw 1.5 title 'ideal' noenhanced, \
  $s2_2 using 1:2 with points lc rgb '#e69f00' pt 7 ps 0.35 title 'one step, largest m' noenhanced, \
  $s2_3 using 1:2 with lines lc rgb '#e69f00' dt 2 lw 1.5 title 'ideal' noenhanced
unset multiplot
