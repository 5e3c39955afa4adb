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
 1000 0.1595 0.1595 0.1595
 2000 0.4847 0.4847 0.4847
 5000 2.448 2.448 2.448
 10000 10.66 10.66 10.66
END
$s0_1 << END
 1000 0.135 0.135 0.135
 2000 0.3816 0.3816 0.3816
 5000 1.969 1.969 1.969
 10000 9.54 9.54 9.54
END
$s0_2 << END
 1000 0.05758 0.05758 0.05758
 2000 0.2254 0.2254 0.2254
 5000 1.371 1.371 1.371
 10000 5.349 5.349 5.349
END
$s0_3 << END
 1000 0.05045 0.05045 0.05045
 2000 0.1973 0.1973 0.1973
 5000 1.153 1.153 1.153
 10000 4.753 4.753 4.753
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
 1000 0.1169 0.1169 0.1169
 2000 0.3178 0.3178 0.3178
 5000 1.561 1.561 1.561
 10000 6.127 6.127 6.127
END
$s1_1 << END
 1000 0.07829 0.07829 0.07829
 2000 0.1986 0.1986 0.1986
 5000 1.061 1.061 1.061
 10000 4.828 4.828 4.828
END
$s1_2 << END
 1000 0.0474 0.0474 0.0474
 2000 0.1616 0.1616 0.1616
 5000 0.8619 0.8619 0.8619
 10000 2.984 2.984 2.984
END
$s1_3 << END
 1000 0.02608 0.02608 0.02608
 2000 0.1009 0.1009 0.1009
 5000 0.625 0.625 0.625
 10000 2.443 2.443 2.443
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
 1 0.1595 0.1595 0.1595
 2 0.1169 0.1169 0.1169
END
$s2_1 << END
 1 0.1595 0.1595 0.1595
 2 0.07975 0.07975 0.07975
END
$s2_2 << END
 1 10.66 10.66 10.66
 2 6.127 6.127 6.127
END
$s2_3 << END
 1 10.66 10.66 10.66
 2 5.33 5.33 5.33
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
