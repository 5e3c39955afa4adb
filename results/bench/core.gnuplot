# core.gnuplot: gnuplot core.gnuplot draws core.pdf, 3.25 in wide
set encoding utf8
set terminal pdfcairo size 3.25in,7.20in font 'Helvetica,7' fontscale 1 linewidth 0.8
set output 'core.pdf'
set key above left Left reverse noenhanced samplen 2 font ',6'
set tics nomirror out scale 0.6 font ',5.5'
set title font ',6.5' offset 0,-0.6
set border 3
set multiplot layout 3,1 title 'Time of a step, tanh, n = 1117185' noenhanced
$s0_0 << END
 1000 0.1886 0.1886 0.1886
 2000 0.5404 0.5404 0.5404
 5000 2.857 2.857 2.857
 10000 11.91 11.91 11.91
END
$s0_1 << END
 1000 0.145 0.145 0.145
 2000 0.4204 0.4204 0.4204
 5000 2.393 2.393 2.393
 10000 10.69 10.69 10.69
END
$s0_2 << END
 1000 0.06615 0.06615 0.06615
 2000 0.2546 0.2546 0.2546
 5000 1.589 1.589 1.589
 10000 5.736 5.736 5.736
END
$s0_3 << END
 1000 0.0554 0.0554 0.0554
 2000 0.2157 0.2157 0.2157
 5000 1.386 1.386 1.386
 10000 5.408 5.408 5.408
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
 1000 0.1265 0.1265 0.1265
 2000 0.3536 0.3536 0.3536
 5000 1.639 1.639 1.639
 10000 6.474 6.474 6.474
END
$s1_1 << END
 1000 0.07846 0.07846 0.07846
 2000 0.2187 0.2187 0.2187
 5000 1.164 1.164 1.164
 10000 5.225 5.225 5.225
END
$s1_2 << END
 1000 0.05148 0.05148 0.05148
 2000 0.181 0.181 0.181
 5000 0.8658 0.8658 0.8658
 10000 3.345 3.345 3.345
END
$s1_3 << END
 1000 0.0281 0.0281 0.0281
 2000 0.1121 0.1121 0.1121
 5000 0.6955 0.6955 0.6955
 10000 2.775 2.775 2.775
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
 1 0.1886 0.1886 0.1886
 2 0.1265 0.1265 0.1265
END
$s2_1 << END
 1 0.1886 0.1886 0.1886
 2 0.0943 0.0943 0.0943
END
$s2_2 << END
 1 11.91 11.91 11.91
 2 6.474 6.474 6.474
END
$s2_3 << END
 1 11.91 11.91 11.91
 2 5.955 5.955 5.955
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
